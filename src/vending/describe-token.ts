import { isSameName } from "../github/repository-name.ts";
import { parsePipelineRepository } from "../github/repository-url.ts";
import { createTokenCodec, type TokenCodec } from "../token/token-codec.ts";
import type { TokenDescription, TokenRepositories } from "../token/token-description.ts";
import type { VendedToken } from "../token/vended-token.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { callerScopeOf, shortProfile } from "./canonical-profile.ts";

/** What a token for this request is said to be, in replies and in the cache. */
export function describeToken(request: AuthorizedRequest): TokenDescription {
  const { memo } = request;
  if (memo === undefined) return makeDescription(request);
  return (memo.description ??= makeDescription(request));
}

function makeDescription({ identity, profile, target, app }: AuthorizedRequest): TokenDescription {
  return {
    organizationSlug: identity.organizationSlug,
    profile: shortProfile(profile, callerScopeOf(target)),
    permissions: profile.permissions.names,
    app,
  };
}

/** What a token for this request reaches. A pipeline's repository is the one the token was made for. */
export function repositoriesOf({ target }: AuthorizedRequest, { repositoryUrl }: VendedToken): TokenRepositories {
  if (target.kind === "organization") return target.repositories;
  const name = repositoryUrl.slice(repositoryUrl.lastIndexOf("/") + 1);
  return { kind: "names", names: [name.endsWith(".git") ? name.slice(0, -4) : name] };
}

/** Writes tokens of this request as cache entries, and reads those that are for it. `webUrl`: of the host that repositories have. */
export function codecFor(request: AuthorizedRequest, webUrl: URL, nowMs: () => number): TokenCodec {
  return createTokenCodec({
    description: describeToken(request),
    nowMs,
    repositoriesOf: (token) => repositoriesOf(request, token),
    admit: (repositories, repositoryUrl) => admit(request, repositories, repositoryUrl, webUrl),
  });
}

/**
 * A pipeline's repository is not known without asking Buildkite: the entry must name one repository of our host, and the same one
 * wherever it does. An organization profile's tokens have no repository of their own, whatever is stored.
 */
function admit(
  { target }: AuthorizedRequest,
  repositories: TokenRepositories,
  repositoryUrl: string,
  webUrl: URL,
): string | undefined {
  if (target.kind === "organization") return isSameReach(repositories, target.repositories) ? "" : undefined;
  const own = parsePipelineRepository(repositoryUrl, webUrl);
  if (own?.httpsUrl !== repositoryUrl) return undefined;
  return isSameReach(repositories, { kind: "names", names: [own.name] }) ? repositoryUrl : undefined;
}

function isSameReach(stored: TokenRepositories, wanted: TokenRepositories): boolean {
  if (stored.kind === "all" || wanted.kind === "all") return stored.kind === wanted.kind;
  return (
    stored.names.every((name) => wanted.names.some((other) => isSameName(name, other))) &&
    wanted.names.every((name) => stored.names.some((other) => isSameName(name, other)))
  );
}
