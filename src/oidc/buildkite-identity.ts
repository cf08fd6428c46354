import type { ClaimValues } from "./claim-values.ts";

/**
 * Who asks: the claims of one verified Buildkite OIDC token. Made only by the verifier, so holding one is the proof.
 *
 * Optional claims are absent, never empty.
 */
export interface BuildkiteIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  readonly expiresAtEpochSeconds: number;
  readonly organizationSlug: string;
  readonly pipelineSlug: string;
  readonly pipelineId: string;
  readonly buildNumber: number;
  readonly buildBranch: string;
  readonly jobId: string;
  /** Every claim that a profile may match on, by its name in the token, as text (`build_number` in decimal). */
  readonly claims: ClaimValues;
}

/** What came of a token that was offered as proof. */
export type Authentication =
  /** `isNew`: this very token has not been seen before. Most tokens are seen once, and nothing is worth keeping for them. */
  | { readonly kind: "authenticated"; readonly identity: BuildkiteIdentity; readonly isNew?: true }
  /** `cause` is for the audit entry alone; callers never learn which check failed. */
  | { readonly kind: "invalid"; readonly cause: string }
  /** No keys to judge with: the issuer cannot be reached. */
  | { readonly kind: "unavailable"; readonly cause: string };

/** Judges a compact JWS in full. Synchronous when it has verified this very token before and remembers it. Never throws. */
export interface Verifier {
  readonly verify: (jwt: string) => Authentication | Promise<Authentication>;
}
