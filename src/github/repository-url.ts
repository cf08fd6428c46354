import { isOwnerName, isRepositoryName, isSameName } from "./repository-name.ts";

/** A repository on the GitHub host that we serve. */
export interface Repository {
  readonly owner: string;
  /** Without `.git`. */
  readonly name: string;
}

/** A pipeline's repository, with the https URL that replies show: `.git` kept as Buildkite has it. */
export interface PipelineRepository extends Repository {
  readonly httpsUrl: string;
}

/**
 * Reads `git@HOST:OWNER/NAME[.git]`, `ssh://git@HOST[:22]/OWNER/NAME[.git]` or `https://HOST/OWNER/NAME[.git]`, HOST being
 * `webUrl`'s host (with its port). Anything else is undefined, and nothing is vended for it: other hosts, user info, other ports,
 * percent-encoding, query, fragment, more or fewer than two segments, names GitHub cannot have.
 */
export function parsePipelineRepository(text: string, webUrl: URL): PipelineRepository | undefined {
  const path = pathOnHost(text, webUrl);
  const match = path === undefined ? null : /^([^/]+)\/([^/]+)$/.exec(path);
  const owner = match?.[1];
  const last = match?.[2];
  if (owner === undefined || last === undefined) return undefined;
  const name = withoutGitSuffix(last);
  if (!isOwnerName(owner) || !isRepositoryName(name)) return undefined;
  return { owner, name, httpsUrl: `https://${webUrl.host}/${owner}/${last}` };
}

/** The first two segments of a path that git sent (git LFS appends `/info/lfs`); undefined when they name no repository. */
export function parseRepositoryPath(path: string): Repository | undefined {
  const [owner, last] = path.replace(/^\//, "").split("/");
  if (owner === undefined || last === undefined) return undefined;
  const name = withoutGitSuffix(last);
  return isOwnerName(owner) && isRepositoryName(name) ? { owner, name } : undefined;
}

/** One `.git`, lower case as git writes it. */
function withoutGitSuffix(segment: string): string {
  return segment.endsWith(".git") ? segment.slice(0, -4) : segment;
}

function pathOnHost(text: string, webUrl: URL): string | undefined {
  const prefixes = [
    `git@${webUrl.hostname}:`,
    `ssh://git@${webUrl.hostname}/`,
    `ssh://git@${webUrl.hostname}:22/`,
    `https://${webUrl.host}/`,
    ...(webUrl.port === "" ? [`https://${webUrl.host}:443/`] : []),
  ];
  const prefix = prefixes.find((start) => text.length > start.length && isSameName(text.slice(0, start.length), start));
  return prefix === undefined ? undefined : text.slice(prefix.length);
}
