import type { Pipelines } from "../buildkite/pipelines.ts";
import type { Grant, RepositorySelection, TokenRequest } from "../github/installation-tokens.ts";
import type { InstallationAccount } from "../github/installations.ts";
import { isSameName } from "../github/repository-name.ts";
import { parsePipelineRepository } from "../github/repository-url.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { VendedToken } from "../token/vended-token.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { findExcess } from "./grant-check.ts";

/** Why an authorized request gets no token all the same. Answers, not faults. */
export type Refusal =
  /** The pipeline's repository is not one of the configured GitHub host. */
  | { readonly kind: "foreign-host" }
  /** The repository belongs to another account than the one the App is installed on. */
  | { readonly kind: "foreign-owner"; readonly cause: string }
  | { readonly kind: "denied"; readonly cause: string };

export type Minted =
  { readonly kind: "value"; readonly value: VendedToken } | { readonly kind: "answer"; readonly answer: Refusal };

/** GitHub as minting needs it, for the App of a request. */
export interface AppConnection {
  readonly account: () => MaybePromise<InstallationAccount>;
  readonly createToken: (request: TokenRequest) => Promise<Grant>;
  readonly revokeToken: (token: string) => Promise<void>;
}

export interface MintOptions {
  readonly pipelines: Pipelines;
  readonly webUrl: URL;
  readonly connect: (request: AuthorizedRequest) => AppConnection;
  readonly clock: Clock;
}

/** Makes one token, asking Buildkite and GitHub. Throws `UpstreamFault`, and `grant-too-wide` after having revoked such a token. */
export type Mint = (request: AuthorizedRequest) => Promise<Minted>;

export function createMint({ pipelines, webUrl, connect, clock }: MintOptions): Mint {
  return async (request) => {
    const github = connect(request);
    const target = await resolveTarget(request, github);
    if (target.kind === "answer") return target;
    const asked = { permissions: request.profile.permissions.request, repositories: target.repositories };
    const grant = await createToken(github, asked);
    if (grant.kind === "answer") return grant;
    await assertWithin(github, asked, target.owner, grant.value);
    return { kind: "value", value: new VendedToken(grant.value.token, grant.value.expiresAtEpochSeconds, target.url) };
  };

  async function resolveTarget(request: AuthorizedRequest, github: AppConnection): Promise<ResolvedTarget | Answer> {
    if (request.target.kind === "pipeline") return resolvePipelineRepository(request, github);
    const { repositories } = request.target;
    // Without a repository to name, there is no owner to compare.
    if (repositories.kind === "all") return { kind: "target", repositories, owner: undefined, url: "" };
    return { kind: "target", repositories, owner: (await github.account()).login, url: "" };
  }

  async function resolvePipelineRepository(
    request: AuthorizedRequest,
    github: AppConnection,
  ): Promise<ResolvedTarget | Answer> {
    const { organizationSlug, pipelineSlug, pipelineId } = request.identity;
    const pipeline = await pipelines.read(organizationSlug, pipelineSlug);
    // A slug can be given to another pipeline; the id cannot. A namesake must not inherit a repository.
    if (pipeline.id !== pipelineId)
      return denied("the pipeline of this slug has another id than the token's pipeline_id");
    if (pipeline.repository === undefined) {
      throw new BridgeError("pipeline-without-repository", "buildkite: the pipeline names no repository");
    }
    const repository = parsePipelineRepository(pipeline.repository, webUrl);
    if (repository === undefined) return { kind: "answer", answer: { kind: "foreign-host" } };
    const { login } = await github.account();
    if (!isSameName(repository.owner, login)) {
      const cause = `the pipeline's repository belongs to ${repository.owner}, the App is installed on ${login}`;
      return { kind: "answer", answer: { kind: "foreign-owner", cause } };
    }
    return {
      kind: "target",
      repositories: { kind: "names", names: [repository.name] },
      owner: login,
      url: repository.httpsUrl,
    };
  }

  async function assertWithin(
    github: AppConnection,
    asked: TokenRequest,
    owner: string | undefined,
    grant: Grant,
  ): Promise<void> {
    const excess = findExcess(asked, owner, grant, clock.nowMs());
    if (excess === undefined) return;
    const revocation = await github.revokeToken(grant.token).then(
      () => "it was revoked",
      () => "revoking it failed",
    );
    throw new BridgeError("grant-too-wide", `github ${excess}; ${revocation}`);
  }
}

interface ResolvedTarget {
  readonly kind: "target";
  readonly repositories: RepositorySelection;
  /** Undefined only where no repository is named. */
  readonly owner: string | undefined;
  readonly url: string;
}

type Answer = Extract<Minted, { readonly kind: "answer" }>;

async function createToken(
  github: AppConnection,
  asked: TokenRequest,
): Promise<{ kind: "value"; value: Grant } | Answer> {
  try {
    return { kind: "value", value: await github.createToken(asked) };
  } catch (error) {
    if (error instanceof UpstreamFault && error.code === "upstream-refused") return denied(error.message);
    throw error;
  }
}

function denied(cause: string): Answer {
  return { kind: "answer", answer: { kind: "denied", cause } };
}
