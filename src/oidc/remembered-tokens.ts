import { hash } from "node:crypto";
import type { Authentication } from "./buildkite-identity.ts";
import type { KeySet } from "./key-set.ts";

/** What a token that was verified in full proved, and how long that holds. */
export interface RememberedToken {
  readonly authentication: Authentication;
  readonly keyId: string;
  /** Of header and payload as they came: near enough to what their claims take. */
  readonly textLength: number;
  readonly expiresAtEpochSeconds: number;
  readonly notBeforeEpochSeconds: number;
}

/** Verdicts on whole tokens, by SHA-256: nothing in here is worth stealing. The least recently used go first. */
export interface RememberedTokens {
  /** What is remembered of this very token under the keys last given to `adopt`. The caller checks its times. */
  readonly find: (digest: string) => RememberedToken | undefined;
  readonly remember: (digest: string, token: RememberedToken) => void;
  /** Forgets everything that was verified by keys which `keys` lacks. Free while the set is the same object. */
  readonly adopt: (keys: KeySet) => void;
  readonly size: () => number;
}

/** Beside the text of its claims, what a remembered token takes in objects and in the table. */
const FIXED_COST_BYTES = 1536;

/** `maxBytes` bounds an estimate: the length of each token and a fixed cost. */
export function createRememberedTokens(maxCount: number, maxBytes: number): RememberedTokens {
  const entries = new Map<string, RememberedToken>();
  let bytes = 0;
  let adopted: KeySet | undefined;

  const forget = (digest: string): void => {
    const token = entries.get(digest);
    if (token === undefined) return;
    entries.delete(digest);
    bytes -= costOf(token);
  };
  return {
    find: (digest) => {
      const token = entries.get(digest);
      if (token === undefined) return undefined;
      // A Map keeps the order of insertion, so what was used last goes to the end.
      entries.delete(digest);
      entries.set(digest, token);
      return token;
    },
    remember: (digest, token) => {
      forget(digest);
      entries.set(digest, token);
      bytes += costOf(token);
      for (const oldest of entries.keys()) {
        if (entries.size <= maxCount && bytes <= maxBytes) return;
        forget(oldest);
      }
    },
    adopt: (keys) => {
      if (keys === adopted) return;
      adopted = keys;
      for (const [digest, token] of entries) if (!keys.has(token.keyId)) forget(digest);
    },
    size: () => entries.size,
  };
}

function costOf(token: RememberedToken): number {
  return token.textLength + FIXED_COST_BYTES;
}

/** The name under which a token is remembered. node:crypto's one-shot hash takes under 1 µs for a token of 1.5 KiB. */
export function digestToken(jwt: string): string {
  return hash("sha256", jwt, "base64");
}
