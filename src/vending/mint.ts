import type { PipelineAsker, Pipelines } from "../buildkite/pipelines.ts";
import type { Grant, RepositorySelection, TokenRequest } from "../github/installation-tokens.ts";
import type { InstallationAccount } from "../github/installations.ts";
import { isSameName } from "../github/repository-name.ts";
import { parsePipelineRepository } from "../github/repository-url.ts";
import type { Urgency } from "../github/rate-limits.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import { isRefusal } from "../lib/upstream-verdict.ts";
import { VendedToken } from "../token/vended-token.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { findExcess } from "./grant-check.ts";
import type { RecentRequests } from "./recent-requests.ts";

/** Why an authorized request gets no token all the same. Answers, not faults. */
export type Refusal =
  /** The pipeline's repository is not one of the configured GitHub host. */
  | { readonly kind: "foreign-host" }
  /** The repository belongs to another account than the one the App is installed on. */
  | { readonly kind: "foreign-owner"; readonly cause: string }
  | { readonly kind: "denied"; readonly cause: string };

export type Minted =
  | { readonly kind: "value"; readonly value: VendedToken }
  /** Definitive: GitHub's own no, which asking again at once would not change. */
  | { readonly kind: "answer"; readonly answer: Refusal; readonly isDefinitive: boolean };

/** For whom a token is made, and how much it matters. Without it: for the service itself, which comes first. */
export interface TokenCall {
  /** A pipeline. */
  readonly caller: string;
  readonly urgency: Urgency;
}

/** GitHub as minting needs it, for the App of a request. */
export interface AppConnection {
  readonly account: () => MaybePromise<InstallationAccount>;
  /** Throws `UpstreamFault`, also while GitHub's limits leave nothing for a call of this urgency; `OverBudget` for its caller. */
  readonly createToken: (request: TokenRequest, call?: TokenCall) => Promise<Grant>;
  readonly revokeToken: (token: string) => Promise<void>;
}

const ANOTHER_PIPELINE: Refusal = {
  kind: "denied",
  cause: "the pipeline of this slug has another id than the token's pipeline_id",
};

export interface MintOptions {
  readonly pipelines: Pipelines;
  readonly webUrl: URL;
  readonly connect: (request: AuthorizedRequest) => AppConnection;
  readonly recent: RecentRequests;
  readonly clock: Clock;
}

/** Why a token is made: there was none; a pipeline seems to have moved; one that serves is renewed ahead of time. */
export type Occasion = "miss" | "mismatch" | "renewal";

/** Makes one token, asking Buildkite and GitHub. Throws `UpstreamFault`, `OverBudget`, and `grant-too-wide` after having revoked such a token. */
export type Mint = (request: AuthorizedRequest, occasion: Occasion) => Promise<Minted>;

export function createMint({ pipelines, webUrl, connect, recent, clock }: MintOptions): Mint {
  return async (request, occasion) => {
    const github = connect(request);
    const target = await resolveTarget(request, occasion, github);
    if (target.kind === "answer") return target;
    const asked = { permissions: request.profile.permissions.request, repositories: target.repositories };
    const call = { caller: request.identity.pipelineId, urgency: urgencyOf(request, occasion) };
    const grant = await createToken(github, asked, call);
    if (grant.kind === "answer") return grant;
    await assertWithin(github, asked, target.owner, grant.value, clock.nowMs());
    recent.note(request);
    return { kind: "value", value: new VendedToken(grant.value.token, grant.value.expiresAtEpochSeconds, target.url) };
  };

  function urgencyOf(request: AuthorizedRequest, occasion: Occasion): Urgency {
    if (occasion === "renewal") return "renewal";
    return occasion === "mismatch" || recent.isRecent(request) ? "hot" : "cold";
  }

  async function resolveTarget(
    request: AuthorizedRequest,
    occasion: Occasion,
    github: AppConnection,
  ): Promise<ResolvedTarget | Answer> {
    // What Buildkite said before is good enough for those who would get nothing otherwise.
    if (request.target.kind === "pipeline") return resolvePipelineRepository(request, occasion !== "miss", github);
    const { repositories } = request.target;
    // Without a repository to name, there is no owner to compare.
    if (repositories.kind === "all") return { kind: "target", repositories, owner: undefined, url: "" };
    return { kind: "target", repositories, owner: (await github.account()).login, url: "" };
  }

  async function resolvePipelineRepository(
    request: AuthorizedRequest,
    isFresh: boolean,
    github: AppConnection,
  ): Promise<ResolvedTarget | Answer> {
    const { organizationSlug, pipelineSlug, pipelineId } = request.identity;
    const asker: PipelineAsker = { caller: pipelineId, isFresh };
    const pipeline = await pipelines.read(organizationSlug, pipelineSlug, asker);
    // A slug can be given to another pipeline; the id cannot. A namesake must not inherit a repository.
    if (pipeline.id !== pipelineId) return answerOnce(ANOTHER_PIPELINE);
    if (pipeline.repository === undefined) {
      throw new BridgeError("pipeline-without-repository", "buildkite: the pipeline names no repository");
    }
    const repository = parsePipelineRepository(pipeline.repository, webUrl);
    if (repository === undefined) return answerOnce({ kind: "foreign-host" });
    const { login } = await github.account();
    if (!isSameName(repository.owner, login)) {
      const cause = `the pipeline's repository belongs to ${repository.owner}, the App is installed on ${login}`;
      return answerOnce({ kind: "foreign-owner", cause });
    }
    return {
      kind: "target",
      repositories: { kind: "names", names: [repository.name] },
      owner: login,
      url: repository.httpsUrl,
    };
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
  call: TokenCall,
): Promise<{ kind: "value"; value: Grant } | Answer> {
  try {
    return { kind: "value", value: await github.createToken(asked, call) };
  } catch (error) {
    // A refusal by KMS to sign for our App is our fault, and no answer to this caller.
    if (!isRefusal(error) || error.details.upstream !== "github") throw error;
    return { kind: "answer", answer: { kind: "denied", cause: error.message }, isDefinitive: true };
  }
}

/** A token that is wider than asked is taken back at once. */
async function assertWithin(
  github: AppConnection,
  asked: TokenRequest,
  owner: string | undefined,
  grant: Grant,
  nowMs: number,
): Promise<void> {
  const excess = findExcess(asked, owner, grant, nowMs);
  if (excess === undefined) return;
  const revocation = await github.revokeToken(grant.token).then(
    () => "it was revoked",
    () => "revoking it failed",
  );
  throw new BridgeError("grant-too-wide", `github ${excess}; ${revocation}`);
}

/** An answer that hangs on what Buildkite or GitHub may be told otherwise at any moment. */
function answerOnce(answer: Refusal): Answer {
  return { kind: "answer", answer, isDefinitive: false };
}
