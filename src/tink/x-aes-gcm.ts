import { createCipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { openAesGcm, sealAesGcm } from "./aes-gcm.ts";
import type { NonceAead } from "./nonce-aead.ts";

const BLOCK_SIZE = 16;

/**
 * X-AES-GCM (C2SP XAES-256-GCM, with Tink's salts of 8 to 12 bytes): each message gets an AES-256-GCM key derived from its
 * salt, so random nonces never run out. The nonce is salt and IV in a row.
 */
export function createXAesGcm(keyBytes: Uint8Array, saltSize: number): NonceAead {
  const key = createSecretKey(keyBytes);
  const subkey = doubleInField(encryptBlock(key, new Uint8Array(BLOCK_SIZE)));
  const messageKey = (nonce: Uint8Array): KeyObject => deriveKey(key, subkey, nonce.subarray(0, saltSize));
  return {
    nonceSize: saltSize + 12,
    tagSize: BLOCK_SIZE,
    seal: (nonce, plaintext, data) => sealAesGcm(messageKey(nonce), nonce.subarray(saltSize), plaintext, data),
    open: (nonce, sealed, data) => openAesGcm(messageKey(nonce), nonce.subarray(saltSize), sealed, data),
  };
}

/** SP 800-108 counter mode over AES-CMAC, label "X": two blocks, each a CMAC of exactly one block of input. */
function deriveKey(key: KeyObject, subkey: Uint8Array, salt: Uint8Array): KeyObject {
  const derived = new Uint8Array(2 * BLOCK_SIZE);
  for (const counter of [1, 2]) {
    const input = new Uint8Array(BLOCK_SIZE);
    input.set([0, counter, 0x58, 0]);
    input.set(salt, 4);
    derived.set(
      encryptBlock(
        key,
        input.map((byte, index) => byte ^ (subkey[index] ?? 0)),
      ),
      (counter - 1) * BLOCK_SIZE,
    );
  }
  const messageKey = createSecretKey(derived);
  derived.fill(0);
  return messageKey;
}

function encryptBlock(key: KeyObject, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-ecb", key, null);
  cipher.setAutoPadding(false);
  return cipher.update(block);
}

/** CMAC's first subkey (SP 800-38B): a shift by one bit, reduced by 0x87. */
function doubleInField(block: Uint8Array): Uint8Array {
  const overflow = (block[0] ?? 0) >> 7;
  return block.map(
    (byte, index) => ((byte << 1) | ((block[index + 1] ?? 0) >> 7)) ^ (index === 15 ? overflow * 0x87 : 0),
  );
}
