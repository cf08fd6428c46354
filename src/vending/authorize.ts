import type { GitHubApp } from "../github/app.ts";
import type { RepositorySelection } from "../github/installation-tokens.ts";
import { isSameName } from "../github/repository-name.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import { canWrite } from "../permissions/permission-set.ts";
import type {
  AttemptedPattern,
  ClaimMatch,
  MatchOutcome,
  OrganizationProfile,
  PipelineProfile,
} from "../profiles/policy.ts";
import type { ClaimValues } from "../oidc/claim-values.ts";
import type { RequestMemo } from "./request-memo.ts";

/** What a request is for, before anyone has asked whether it may. */
export interface AuthorizationRequest {
  readonly identity: BuildkiteIdentity;
  /** Of the generation that `profile` was read from. */
  readonly policyDigest: string;
  readonly profile: PipelineProfile | OrganizationProfile;
  readonly app: GitHubApp;
  readonly target: VendingTarget;
  /** Of requests of this pipeline, policy, profile, App and caller scope. Absent: nothing is kept. */
  readonly memo?: RequestMemo | undefined;
}

/** What a token is to reach. The pipeline's repository is not known here: Buildkite is asked when one is made. */
export type VendingTarget =
  | { readonly kind: "pipeline" }
  | { readonly kind: "organization"; readonly repositories: RepositorySelection; readonly callerScope?: string };

export type Authorization =
  | { readonly kind: "authorized"; readonly request: AuthorizedRequest; readonly matches: readonly ClaimMatch[] }
  | { readonly kind: "refused"; readonly attempted: readonly AttemptedPattern[] }
  | { readonly kind: "invalid-claim"; readonly claim: string }
  /** The caller chose the repository that holds the policy, and the profile could write it. */
  | { readonly kind: "protected"; readonly matches: readonly ClaimMatch[] };

const proof: unique symbol = Symbol("authorized");

/**
 * A request whose caller the profile's rules let in. `authorize` alone makes one, and neither the cache nor the mint takes anything
 * else: authorization stands outside the cache, on every request.
 */
export interface AuthorizedRequest extends AuthorizationRequest {
  readonly [proof]: true;
}

export type Judgement = Exclude<Authorization, { kind: "authorized" }> | Extract<MatchOutcome, { kind: "matched" }>;

/** What is judged: who asks, for which profile, to reach what. */
export interface JudgedRequest {
  readonly claims: ClaimValues;
  readonly profile: PipelineProfile | OrganizationProfile;
  readonly target: VendingTarget;
}

/**
 * Evaluates the profile's match rules for the caller, then keeps a caller-scoped profile that can write from the repository that holds
 * the policy (`protectedRepository`): whoever could write it could grant themselves everything. Judges neither owner nor existence.
 *
 * The verdict alone, for `profiles explain`; what may vend is made by `authorize`.
 */
export function judge(request: JudgedRequest, protectedRepository: string | undefined): Judgement {
  const outcome = request.profile.rules.evaluate(request.claims);
  if (outcome.kind !== "matched" || !reachesProtected(request, protectedRepository)) return outcome;
  return { kind: "protected", matches: outcome.matches };
}

/** Judges a request; one that the profile's rules let in is `authorized`. */
export function authorize(request: AuthorizationRequest, protectedRepository: string | undefined): Authorization {
  const { identity, policyDigest, profile, app, target, memo } = request;
  const judgement = judge({ claims: identity.claims, profile, target }, protectedRepository);
  if (judgement.kind !== "matched") return judgement;
  // Member by member: spreading is a tenth of what deciding costs.
  const authorized = { identity, policyDigest, profile, app, target, memo, [proof]: true } as const;
  return { kind: "authorized", request: authorized, matches: judgement.matches };
}

function reachesProtected({ profile, target }: JudgedRequest, protectedRepository: string | undefined): boolean {
  if (protectedRepository === undefined || target.kind !== "organization" || target.callerScope === undefined)
    return false;
  return isSameName(target.callerScope, protectedRepository) && canWrite(profile.permissions);
}
