import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";
import * as v from "valibot";
import type { CompactJws } from "./compact-jws.ts";

/** A public key of the issuer that may verify RS256. */
export interface VerificationKey {
  /** The same for the same `kid` with the same key material, in this key set and in the next. */
  readonly id: string;
  readonly kid?: string;
  readonly publicKey: KeyObject;
}

/** RFC 7518, section 3.3. Larger ones than the upper bound only cost time. */
const MODULUS_BITS = { least: 2048, most: 8192 };

/** Members with another meaning than "verifies RS256" make the key somebody else's; unknown members mean nothing. */
const rs256Key = v.object({
  kty: v.literal("RSA"),
  n: v.string(),
  e: v.string(),
  kid: v.optional(v.string()),
  use: v.optional(v.literal("sig")),
  alg: v.optional(v.literal("RS256")),
  key_ops: v.optional(v.pipe(v.array(v.string()), v.includes("verify"))),
  // A key set that publishes a private key has given that key away.
  d: v.optional(v.never()),
});

/**
 * The key that a JWK (RFC 7517) holds, or undefined when it is not one for verifying RS256: other `kty`, `use`, `alg` or
 * `key_ops`, a modulus under 2048 bits, an even or tiny exponent, a private key. Certificates in it are not read.
 */
export function importVerificationKey(jwk: unknown): VerificationKey | undefined {
  const parsed = v.safeParse(rs256Key, jwk);
  if (!parsed.success) return undefined;
  const { n, e, kid } = parsed.output;
  const publicKey = importRsa(n, e);
  if (publicKey === undefined) return undefined;
  const material = publicKey.export({ type: "spki", format: "der" });
  const id = createHash("sha256")
    .update(material)
    .update(`kid:${kid ?? ""}`)
    .digest("base64");
  return { id, publicKey, ...(kid === undefined ? {} : { kid }) };
}

/**
 * Whether the signature is RSASSA-PKCS1-v1_5 with SHA-256 by this key (RFC 7518, section 3.3).
 *
 * Synchronous node:crypto on purpose: under load it costs two thirds of the processor time of WebCrypto, and alone a third of
 * its delay (bench/rs256.ts).
 */
export function isSignedBy(key: VerificationKey, jws: Pick<CompactJws, "signingInput" | "signature">): boolean {
  return verify("RSA-SHA256", Buffer.from(jws.signingInput, "latin1"), key.publicKey, jws.signature);
}

function importRsa(n: string, e: string): KeyObject | undefined {
  try {
    const publicKey = createPublicKey({ key: { kty: "RSA", n, e }, format: "jwk" });
    const { modulusLength = 0, publicExponent = 0n } = publicKey.asymmetricKeyDetails ?? {};
    if (modulusLength < MODULUS_BITS.least || modulusLength > MODULUS_BITS.most) return undefined;
    return publicExponent >= 3n && publicExponent % 2n === 1n ? publicKey : undefined;
  } catch {
    return undefined;
  }
}
