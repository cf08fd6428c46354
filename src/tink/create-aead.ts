import { systemRandom, type RandomBytes } from "../lib/random.ts";
import { createAesCtrHmac } from "./aes-ctr-hmac.ts";
import { createAesGcm } from "./aes-gcm.ts";
import { parseKeyMaterial, type KeyMaterial } from "./key-material.ts";
import type { Key, Keyset } from "./keyset.ts";
import { KeysetError } from "./keyset-error.ts";
import { createAesGcmSiv, createChaCha20Poly1305, createXChaCha20Poly1305 } from "./noble-aeads.ts";
import { withRandomNonce, type Aead, type NonceAead } from "./nonce-aead.ts";
import { concatBytes } from "./wire-writer.ts";
import { createXAesGcm } from "./x-aes-gcm.ts";

const PREFIX_SIZE = 5;

/**
 * The AEAD of a keyset, as tink-go's aead factory makes it: seals with the primary key, opens with every enabled key.
 * All keys are copied: wipe the keyset afterwards.
 *
 * Throws `KeysetError` with `key-unsupported` when any enabled key cannot be used, the primary or not.
 */
export function createAead(keyset: Keyset, random: RandomBytes = systemRandom): Aead {
  const enabled = keyset.keys.filter((key) => key.status === "ENABLED").map((key) => createKeyAead(key, random));
  const primary = enabled.find(({ keyId }) => keyId === keyset.primaryKeyId);
  if (primary === undefined) throw new KeysetError("keyset-invalid", "no enabled primary key");
  const raw = enabled.filter(({ prefix }) => prefix.length === 0);
  const prefixed = enabled.filter(({ prefix }) => prefix.length > 0);
  return {
    seal: (plaintext, associatedData) => {
      const sealed = primary.aead.seal(plaintext, associatedData);
      return primary.prefix.length === 0 ? sealed : concatBytes([primary.prefix, sealed]);
    },
    open: (ciphertext, associatedData) => {
      const body = ciphertext.subarray(PREFIX_SIZE);
      for (const { aead } of prefixed.filter(({ prefix }) => startsWith(ciphertext, prefix))) {
        const plaintext = aead.open(body, associatedData);
        if (plaintext !== undefined) return plaintext;
      }
      // A ciphertext without a prefix may start with another key's by chance.
      for (const { aead } of raw) {
        const plaintext = aead.open(ciphertext, associatedData);
        if (plaintext !== undefined) return plaintext;
      }
      return undefined;
    },
  };
}

interface KeyAead {
  readonly keyId: number;
  readonly prefix: Uint8Array;
  readonly aead: Aead;
}

function createKeyAead(key: Key, random: RandomBytes): KeyAead {
  const material = parseKeyMaterial(key.keyId, key.keyData, key.outputPrefix);
  const unsupported = (field: string, reason: string): KeysetError =>
    new KeysetError("key-unsupported", reason, { keyId: key.keyId, field: `keyData.${field}` });
  if (material === undefined) throw unsupported("typeUrl", "an enabled key has a type that is not supported");
  const aesKey = material.kind === "aes-ctr-hmac" ? material.aesKey : material.key;
  if (aesKey.length === 24) throw unsupported("value", "an enabled AES key must have 16 or 32 bytes, has 24");
  return { keyId: key.keyId, prefix: outputPrefix(key), aead: withRandomNonce(createCipher(material), random) };
}

function createCipher(material: KeyMaterial): NonceAead {
  switch (material.kind) {
    case "aes-gcm":
      return createAesGcm(material.key);
    case "aes-gcm-siv":
      return createAesGcmSiv(material.key);
    case "chacha20-poly1305":
      return createChaCha20Poly1305(material.key);
    case "xchacha20-poly1305":
      return createXChaCha20Poly1305(material.key);
    case "x-aes-gcm":
      return createXAesGcm(material.key, material.saltSize);
    case "aes-ctr-hmac":
      return createAesCtrHmac(material);
    default:
      return material satisfies never;
  }
}

function outputPrefix({ outputPrefix: kind, keyId }: Key): Uint8Array {
  if (kind === "RAW") return new Uint8Array();
  const prefix = new Uint8Array(PREFIX_SIZE);
  prefix[0] = kind === "TINK" ? 1 : 0;
  new DataView(prefix.buffer).setUint32(1, keyId);
  return prefix;
}

function startsWith(ciphertext: Uint8Array, prefix: Uint8Array): boolean {
  return ciphertext.length >= prefix.length && prefix.every((byte, index) => ciphertext[index] === byte);
}
