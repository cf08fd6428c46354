import * as v from "valibot";
import { importVerificationKey, type VerificationKey } from "./verification-key.ts";

/** The keys that an issuer vouches for at one time. */
export interface KeySet {
  /** The key of that name; without a name, the key of a set that has only one. */
  readonly find: (kid: string | undefined) => VerificationKey | undefined;
  /** Whether a key of this `VerificationKey.id` is in the set. */
  readonly has: (keyId: string) => boolean;
  readonly usableCount: number;
  readonly passedOverCount: number;
}

/** A JWK Set as far as every entry has: RFC 7517, section 5. */
export const jwkSet = v.object({ keys: v.array(v.unknown()) });

/**
 * The keys of a JWK Set that may verify RS256. Entries that may not are passed over; so are keys that share a `kid`, because
 * nobody can tell which of them a token means. No usable key at all is a valid set: it verifies nothing.
 */
export function createKeySet(entries: readonly unknown[]): KeySet {
  const rs256Keys = entries.map(importVerificationKey).filter((key) => key !== undefined);
  const byKid = Map.groupBy(rs256Keys, (key) => key.kid);
  const usable = rs256Keys.filter((key) => key.kid === undefined || byKid.get(key.kid)?.length === 1);
  const ids = new Set(usable.map((key) => key.id));
  // Keys refused for a shared kid count here: with them in the set, a token without kid might mean any of them.
  const sole = rs256Keys.length === 1 ? usable[0] : undefined;
  const named = new Map(usable.flatMap((key) => (key.kid === undefined ? [] : [[key.kid, key] as const])));
  return {
    find: (kid) => (kid === undefined ? sole : named.get(kid)),
    has: (keyId) => ids.has(keyId),
    usableCount: usable.length,
    passedOverCount: entries.length - usable.length,
  };
}
