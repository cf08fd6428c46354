import * as v from "valibot";
import { BridgeError } from "../lib/bridge-error.ts";
import { createKeySet, jwkSet } from "./key-set.ts";
import type { KeySource, Keys } from "./key-source.ts";

/**
 * Keys that configuration gives (`JWT_JWKS_STATIC`), in place of asking the issuer. They never change.
 *
 * Throws `BridgeError` `invalid-jwks` when the text is no JWK Set or holds no key that may verify RS256. The message never
 * shows the text.
 */
export function createStaticKeySource(jwks: string): KeySource {
  const parsed = v.safeParse(jwkSet, parseJson(jwks));
  if (!parsed.success) throw new BridgeError("invalid-jwks", "not a JWK Set: JSON with a list named keys is expected");
  const keys = createKeySet(parsed.output.keys);
  if (keys.usableCount === 0) {
    throw new BridgeError("invalid-jwks", "no usable key: RSA of at least 2048 bits for verifying RS256 is expected");
  }
  const answer: Keys = { kind: "keys", keys };
  return { current: () => answer, afterUnknownKid: () => answer, refresh: () => Promise.resolve(answer) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
