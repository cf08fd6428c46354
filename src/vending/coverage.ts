import type { RepositorySelection } from "../github/installation-tokens.ts";
import type { InstallationAccount } from "../github/installations.ts";
import { isSameName } from "../github/repository-name.ts";
import { chain, type MaybePromise } from "../lib/maybe-promise.ts";
import type { AuthorizedRequest } from "./authorize.ts";

/** A repository that a git client asked about; the name is undefined where its URL stops at an owner. */
export interface AskedRepository {
  readonly owner: string;
  readonly name: string | undefined;
}

/**
 * Whether an organization profile's token reaches what git asked about: the name is in the profile's list, and the owner, where
 * there is one, is the account that the App is installed on. Names alone would hand `acme`'s token to a clone of `globex`.
 */
export function coversAsked(
  { target }: AuthorizedRequest,
  asked: AskedRepository,
  account: () => MaybePromise<InstallationAccount>,
): MaybePromise<boolean> {
  if (target.kind === "pipeline") return true;
  if (!coversName(target.repositories, asked.name)) return false;
  return chain(account(), ({ login }) => isSameName(login, asked.owner));
}

/** Whether a token for these repositories reaches the one of this name; without a name, only all of them do. */
export function coversName(repositories: RepositorySelection, name: string | undefined): boolean {
  return repositories.kind === "all" || (name !== undefined && repositories.names.some((one) => isSameName(one, name)));
}

/**
 * Whether the pipeline's repository, as its token has it, is the one git asked about. The token's URL is what `parsePipelineRepository` made of
 * it, so it is compared whole: taking it apart again is a tenth of what a request of git costs.
 */
export function isPipelineRepository(repositoryUrl: string, asked: AskedRepository, webUrl: URL): boolean {
  if (asked.name === undefined) return false;
  const url = `https://${webUrl.host}/${asked.owner}/${asked.name}`;
  return isSameName(repositoryUrl, url) || isSameName(repositoryUrl, `${url}.git`);
}
