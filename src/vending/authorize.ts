import type { GitHubApp } from "../github/app.ts";
import type { RepositorySelection } from "../github/installation-tokens.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { AttemptedPattern, ClaimMatch, OrganizationProfile, PipelineProfile } from "../profiles/policy.ts";

/** What a request is for, before anyone has asked whether it may. */
export interface AuthorizationRequest {
  readonly identity: BuildkiteIdentity;
  /** Of the generation that `profile` was read from. */
  readonly policyDigest: string;
  readonly profile: PipelineProfile | OrganizationProfile;
  readonly app: GitHubApp;
  readonly target: VendingTarget;
}

/** What a token is to reach. The pipeline's repository is not known here: Buildkite is asked when one is made. */
export type VendingTarget =
  | { readonly kind: "pipeline" }
  | { readonly kind: "organization"; readonly repositories: RepositorySelection; readonly callerScope?: string };

export type Authorization =
  | { readonly kind: "authorized"; readonly request: AuthorizedRequest; readonly matches: readonly ClaimMatch[] }
  | { readonly kind: "refused"; readonly attempted: readonly AttemptedPattern[] }
  | { readonly kind: "invalid-claim"; readonly claim: string };

const proof: unique symbol = Symbol("authorized");

/**
 * A request whose caller the profile's rules let in. `authorize` alone makes one, and neither the cache nor the mint takes anything
 * else: authorization stands outside the cache, on every request.
 */
export interface AuthorizedRequest extends AuthorizationRequest {
  readonly [proof]: true;
}

/** Evaluates the profile's match rules for the caller. Judges nothing else: neither repository nor owner. */
export function authorize(request: AuthorizationRequest): Authorization {
  const outcome = request.profile.rules.evaluate(request.identity.claims);
  if (outcome.kind !== "matched") return outcome;
  return { kind: "authorized", request: { ...request, [proof]: true }, matches: outcome.matches };
}
