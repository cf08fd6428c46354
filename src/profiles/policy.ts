import type { PermissionSet } from "../permissions/permission-set.ts";
import type { WholeValuePattern } from "./pattern.ts";
import type { ClaimValues } from "../oidc/claim-values.ts";

/** The App of every profile that names none. */
export const DEFAULT_APP = "default";

/** One claim rule that held, with the value it held for. */
export interface ClaimMatch {
  readonly claim: string;
  readonly value: string;
}

/** One claim rule that did not hold, with what it wanted and what was there. */
export interface AttemptedPattern {
  readonly claim: string;
  readonly pattern: string;
  readonly value: string;
}

export type MatchOutcome =
  | { readonly kind: "matched"; readonly matches: readonly ClaimMatch[] }
  | { readonly kind: "refused"; readonly attempted: readonly AttemptedPattern[] }
  /** A claim that a rule reads has a value no rule may read: too long, white space, control characters. */
  | { readonly kind: "invalid-claim"; readonly claim: string };

/** One rule: the claim has exactly this value, or its whole value matches this pattern. */
export type ClaimRule = { readonly claim: string } & (
  { readonly kind: "value"; readonly value: string } | { readonly kind: "pattern"; readonly pattern: WholeValuePattern }
);

/** The match rules of a profile, compiled once a generation. No rules match everyone. */
export interface MatchRules {
  /** As the profile has them. */
  readonly rules: readonly ClaimRule[];
  readonly evaluate: (claims: ClaimValues) => MatchOutcome;
}

export interface PipelineProfile {
  readonly kind: "pipeline";
  readonly name: string;
  readonly appName: string;
  readonly permissions: PermissionSet;
  readonly rules: MatchRules;
}

/** Which repositories an organization profile reaches. Never decided by an empty list. */
export type OrganizationReach =
  | { readonly kind: "names"; readonly names: readonly [string, ...string[]] }
  | { readonly kind: "all" }
  | { readonly kind: "caller-scoped" };

export interface OrganizationProfile {
  readonly kind: "organization";
  readonly name: string;
  readonly appName: string;
  readonly permissions: PermissionSet;
  readonly rules: MatchRules;
  readonly reach: OrganizationReach;
}

/** A profile that the file names but that may not be used, with every reason. */
export interface UnavailableProfile {
  readonly kind: "unavailable";
  readonly name: string;
  readonly reasons: readonly string[];
}

/**
 * One compiled profile file. Immutable: a request reads it once and uses that one value throughout.
 *
 * `digest` begins every cache key, so a changed file never serves a token made under the old one.
 */
export interface PolicyGeneration {
  /** SHA-256 of the file in hex; `default-profile:v1` without a file. */
  readonly digest: string;
  readonly defaultPipelineProfile: PipelineProfile;
  /** Named pipeline profiles; `default` is never among them. */
  readonly pipelineProfiles: ReadonlyMap<string, PipelineProfile | UnavailableProfile>;
  readonly organizationProfiles: ReadonlyMap<string, OrganizationProfile | UnavailableProfile>;
}
