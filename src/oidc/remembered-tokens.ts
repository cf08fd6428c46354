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

/** Verdicts on whole tokens, by SHA-256: nothing in here is worth stealing. */
export interface RememberedTokens {
  /** What is remembered of this very token under the keys last given to `adopt`. The caller checks its times. */
  readonly find: (digest: string) => RememberedToken | undefined;
  readonly remember: (digest: string, token: RememberedToken) => void;
  /** Forgets everything that was verified by keys which `keys` lacks. Free while the set is the same object. */
  readonly adopt: (keys: KeySet) => void;
}

type Generation = Map<string, RememberedToken>;

/** Beside the text of its claims, what a remembered token takes in objects and in the table. */
const FIXED_COST_BYTES = 1536;

/**
 * Keeps what was used lately within both bounds; `maxBytes` bounds an estimate, the length of each token and a fixed cost.
 *
 * Two generations, each half of the bounds: when the young one is full it becomes the old one, and the old one goes; what is
 * used again is young again. Nothing is deleted singly, because a Map pays for deletions with every later insertion.
 */
export function createRememberedTokens(maxCount: number, maxBytes: number): RememberedTokens {
  let young: Generation = new Map();
  let old: Generation = new Map();
  let youngBytes = 0;
  let adopted: KeySet | undefined;

  const remember = (digest: string, token: RememberedToken): void => {
    const cost = token.textLength + FIXED_COST_BYTES;
    if ((young.size + 1) * 2 > maxCount || (youngBytes + cost) * 2 > maxBytes) {
      old = young;
      young = new Map();
      youngBytes = 0;
    }
    young.set(digest, token);
    youngBytes += cost;
  };
  return {
    find: (digest) => {
      const fromYoung = young.get(digest);
      if (fromYoung !== undefined) return fromYoung;
      const fromOld = old.get(digest);
      if (fromOld !== undefined) remember(digest, fromOld);
      return fromOld;
    },
    remember,
    adopt: (keys) => {
      if (keys === adopted) return;
      adopted = keys;
      // Their bytes stay counted until the young generation is next retired: too few tokens for a while, never too many.
      for (const generation of [young, old]) {
        for (const [digest, { keyId }] of generation) if (!keys.has(keyId)) generation.delete(digest);
      }
    },
  };
}

/** The name under which a token is remembered. node:crypto's one-shot hash takes 1 µs for a token of 1.2 KiB. */
export function digestToken(jwt: string): string {
  return hash("sha256", jwt, "base64");
}
