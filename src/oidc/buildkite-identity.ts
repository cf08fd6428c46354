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

/** What came of a token that was offered as proof. `Caller` is what the verifier was told to make of an identity. */
export type Authentication<Caller> =
  | { readonly kind: "authenticated"; readonly caller: Caller }
  /** `cause` is for the audit entry alone; callers never learn which check failed. */
  | { readonly kind: "invalid"; readonly cause: string }
  /** No keys to judge with: the issuer cannot be reached. */
  | { readonly kind: "unavailable"; readonly cause: string };

/**
 * Judges a compact JWS in full. Synchronous when it has verified this very token before and remembers it; the caller of a token that is in
 * use is the same object each time. Never throws.
 */
export interface Verifier<Caller> {
  readonly verify: (jwt: string) => Authentication<Caller> | Promise<Authentication<Caller>>;
}
