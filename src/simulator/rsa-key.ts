import { createHash, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/** A 2048-bit RSA key pair: of the issuer, or of a GitHub App. */
export interface RsaKey {
  /** RFC 7638 thumbprint of the public key. */
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Takes some 50 ms on a thread of its own; several at once cost no more. */
export async function generateRsaKey(): Promise<RsaKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const { e, n } = publicKey.export({ format: "jwk" });
  const id = createHash("sha256")
    .update(JSON.stringify({ e, kty: "RSA", n }))
    .digest("base64url");
  return { id, privateKey, publicKey };
}

/** PKCS#1, the form in which GitHub hands out the keys of Apps. */
export function privateKeyPem(key: RsaKey): string {
  return key.privateKey.export({ type: "pkcs1", format: "pem" });
}

/** The public half, as it stands in a key set. */
export function publicJwk(key: RsaKey): Readonly<Record<string, unknown>> {
  return { ...key.publicKey.export({ format: "jwk" }), kid: key.id, use: "sig", alg: "RS256" };
}
