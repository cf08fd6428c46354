import type { RandomBytes } from "../lib/random.ts";

/**
 * Authenticated encryption under one key. Safe to share; keeps a copy of the key that was given, so that one may be wiped.
 *
 * `seal` draws a fresh nonce by itself. `open` answers undefined for whatever is not a ciphertext of this key and
 * associated data, without telling why.
 */
export interface Aead {
  readonly seal: (plaintext: Uint8Array, associatedData: Uint8Array) => Uint8Array;
  readonly open: (ciphertext: Uint8Array, associatedData: Uint8Array) => Uint8Array | undefined;
}

/** An AEAD with the nonce in the open, and ciphertext and tag in one. `open` is given at least a tag. */
export interface NonceAead {
  readonly nonceSize: number;
  readonly tagSize: number;
  readonly seal: (nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array) => Uint8Array;
  /** Throws or answers undefined for a forgery. */
  readonly open: (nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array) => Uint8Array | undefined;
}

/** Tink's layout for most types: a random nonce in front of ciphertext and tag. */
export function withRandomNonce(cipher: NonceAead, random: RandomBytes): Aead {
  const { nonceSize, tagSize } = cipher;
  return {
    seal: (plaintext, associatedData) => {
      const nonce = random(nonceSize);
      const sealed = cipher.seal(nonce, plaintext, associatedData);
      const whole = new Uint8Array(nonceSize + sealed.length);
      whole.set(nonce);
      whole.set(sealed, nonceSize);
      return whole;
    },
    open: (ciphertext, associatedData) => {
      if (ciphertext.length < nonceSize + tagSize) return undefined;
      try {
        return cipher.open(ciphertext.subarray(0, nonceSize), ciphertext.subarray(nonceSize), associatedData);
      } catch {
        return undefined;
      }
    },
  };
}
