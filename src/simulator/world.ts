import type { RsaKey } from "./rsa-key.ts";

/**
 * Everything that is true outside the service. Mutable on purpose: a test moves a repository or suspends an installation by
 * assignment, and the next request sees it.
 */
export interface World {
  readonly buildkite: BuildkiteWorld;
  readonly github: GitHubWorld;
}

export interface BuildkiteWorld {
  readonly organizations: BuildkiteOrganization[];
  /** Jobs that are running, for which their agents may ask tokens. */
  readonly jobs: Job[];
  readonly apiTokens: BuildkiteApiToken[];
  /** What agents authenticate themselves with. */
  agentAccessToken: string;
}

export interface BuildkiteOrganization {
  readonly id: string;
  slug: string;
  readonly pipelines: Pipeline[];
}

export interface Pipeline {
  id: string;
  slug: string;
  name: string;
  /** As the pipeline's settings have it: https, ssh or scp form. */
  repository: string;
}

export interface Job {
  readonly id: string;
  readonly organizationId: string;
  readonly pipelineId: string;
  readonly agentId: string;
  buildNumber: number;
  branch: string;
  commit: string;
  tag: string | null;
  stepKey: string | null;
  cluster: { readonly id: string; readonly name: string } | null;
  queue: { readonly id: string; readonly key: string } | null;
  /** `agent_tag:NAME` by NAME. */
  readonly agentTags: Record<string, string>;
}

export interface BuildkiteApiToken {
  readonly token: string;
  readonly organizationIds: readonly string[];
  readonly scopes: readonly string[];
}

export interface GitHubWorld {
  readonly accounts: Account[];
  readonly repositories: Repository[];
  readonly apps: App[];
  readonly installations: Installation[];
}

export interface Account {
  readonly id: number;
  login: string;
  type: string;
}

export interface Repository {
  readonly id: number;
  ownerId: number;
  name: string;
  defaultBranch: string;
  readonly branches: Map<string, Tree>;
}

/** What a branch holds, by path. Directories are implied. */
export type Tree = Map<string, TreeEntry>;

export type TreeEntry =
  | { readonly kind: "file"; readonly content: string | Uint8Array }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "submodule"; readonly commit: string; readonly url: string };

export interface App {
  readonly id: number;
  readonly slug: string;
  readonly clientId: string;
  /** An App may have several keys at once; the first is the one that `environment()` hands out. */
  readonly keys: RsaKey[];
}

export interface Installation {
  readonly id: number;
  readonly appId: number;
  accountId: number;
  /** Every repository of the account, now and later, or these ids. */
  repositories: "all" | Set<number>;
  permissions: Record<string, string>;
  suspendedAtMs: number | null;
}

export function findOrganization(world: BuildkiteWorld, slug: string): BuildkiteOrganization | undefined {
  return world.organizations.find((organization) => organization.slug === slug);
}

export function findAccount(world: GitHubWorld, id: number): Account | undefined {
  return world.accounts.find((account) => account.id === id);
}

/** By owner and name, ignoring case as GitHub does. */
export function findRepository(world: GitHubWorld, owner: string, name: string): Repository | undefined {
  const account = world.accounts.find(({ login }) => sameName(login, owner));
  return world.repositories.find((one) => one.ownerId === account?.id && sameName(one.name, name));
}

/** What an installation reaches. A repository that has left the account is out of reach even when its id is listed. */
export function repositoriesOf(world: GitHubWorld, installation: Installation): Repository[] {
  const { repositories: chosen, accountId } = installation;
  return world.repositories.filter((one) => one.ownerId === accountId && (chosen === "all" || chosen.has(one.id)));
}

export function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
