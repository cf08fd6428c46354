import { createCipheriv, createDecipheriv, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { KeyMaterial } from "./key-material.ts";
import type { NonceAead } from "./nonce-aead.ts";

const BLOCK_SIZE = 16;

/**
 * Tink's encrypt-then-MAC: AES-CTR, whose counter block is the IV with zeros behind it, and a truncated HMAC over associated
 * data, IV, ciphertext and the length of the associated data in bits. Keys are copied.
 */
export function createAesCtrHmac(material: Extract<KeyMaterial, { kind: "aes-ctr-hmac" }>): NonceAead {
  const { ivSize, tagSize, hash } = material;
  const aesKey = createSecretKey(material.aesKey);
  const hmacKey = createSecretKey(material.hmacKey);
  const algorithm = material.aesKey.length === 16 ? "aes-128-ctr" : "aes-256-ctr";
  const tagOf = (iv: Uint8Array, ciphertext: Uint8Array, data: Uint8Array): Uint8Array => {
    const mac = createHmac(hash, hmacKey).update(data).update(iv).update(ciphertext).update(bitLength(data));
    return mac.digest().subarray(0, tagSize);
  };
  return {
    nonceSize: ivSize,
    tagSize,
    seal: (iv, plaintext, data) => {
      const sealed = new Uint8Array(plaintext.length + tagSize);
      sealed.set(createCipheriv(algorithm, aesKey, counterBlock(iv)).update(plaintext));
      sealed.set(tagOf(iv, sealed.subarray(0, plaintext.length), data), plaintext.length);
      return sealed;
    },
    open: (iv, sealed, data) => {
      const ciphertext = sealed.subarray(0, sealed.length - tagSize);
      if (!timingSafeEqual(tagOf(iv, ciphertext, data), sealed.subarray(ciphertext.length))) return undefined;
      return new Uint8Array(createDecipheriv(algorithm, aesKey, counterBlock(iv)).update(ciphertext));
    },
  };
}

function counterBlock(iv: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE);
  block.set(iv);
  return block;
}

function bitLength(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(data.length) * 8n);
  return bytes;
}
