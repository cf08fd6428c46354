import { hash } from "node:crypto";
import { RecentValues } from "../lib/recent-values.ts";
import type { Authentication } from "./buildkite-identity.ts";
import type { KeySet } from "./key-set.ts";

/** That a token was verified in full, and how long that holds: little, so that it can be known of thousands. */
export interface Proof {
  readonly keyId: string;
  readonly expiresAtEpochSeconds: number;
  readonly notBeforeEpochSeconds: number;
}

export interface RememberedTokensOptions {
  /** Of so many tokens that were verified or read last it is known that they verified. */
  readonly proofs: number;
  /** Of so many that were used again last it is also known who they speak for; of others it is read from the token. */
  readonly readings: number;
}

/** A token that is in use: one look-up, and one object, have all that it takes. */
export type Reading<Caller> = Proof & Extract<Authentication<Caller>, { readonly kind: "authenticated" }>;

/** Longer tokens are read at each use, so that what memory holds of the others has a bound in bytes too. */
const LONGEST_KEPT = 4 * 1024;

/** Verdicts on whole tokens, by SHA-256: nothing in here is worth stealing. */
export class RememberedTokens<Caller> {
  readonly #proofs: RecentValues<string, Proof>;
  readonly #readings: RecentValues<string, Reading<Caller>>;
  #adopted: KeySet | undefined;

  constructor({ proofs, readings }: RememberedTokensOptions) {
    this.#proofs = new RecentValues(proofs);
    this.#readings = new RecentValues(readings);
  }

  /** That this very token was verified by one of the keys last given to `adopt`. The caller checks its times. */
  find(digest: string): Proof | undefined {
    return this.#proofs.get(digest);
  }

  remember(digest: string, { keyId, expiresAtEpochSeconds, notBeforeEpochSeconds }: Proof): void {
    this.#proofs.set(digest, { keyId, expiresAtEpochSeconds, notBeforeEpochSeconds });
  }

  /** The same of a token that is in use, with who it speaks for. */
  reading(digest: string): Reading<Caller> | undefined {
    return this.#readings.get(digest);
  }

  /** Keeps what was read from a token, unless that was a refusal: those depend on the time. */
  read(digest: string, jwt: string, proof: Proof, authentication: Authentication<Caller>): void {
    if (authentication.kind === "authenticated" && jwt.length <= LONGEST_KEPT)
      this.#readings.set(digest, { ...authentication, ...proof });
  }

  /** Forgets everything that was verified by keys which `keys` lacks. Free while the set is the same object. */
  adopt(keys: KeySet): void {
    if (keys === this.#adopted) return;
    this.#adopted = keys;
    this.#proofs.deleteWhere(({ keyId }) => !keys.has(keyId));
    this.#readings.deleteWhere(({ keyId }) => !keys.has(keyId));
  }
}

/** The name under which a token is remembered. node:crypto's one-shot hash takes 1 µs for a token of 1.2 KiB. */
export function digestToken(jwt: string): string {
  return hash("sha256", jwt, "base64");
}
