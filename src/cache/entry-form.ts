import type { Clock } from "../lib/clock.ts";
import { decodeUtf8 } from "../lib/utf8.ts";
import type { Aead } from "../tink/nonce-aead.ts";
import type { UnusedKind } from "./entry-codec.ts";
import type { CacheObserver } from "./observer.ts";

export type Opened =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "unused"; readonly why: UnusedKind };

/** How entries lie in the store: under which name, and in clear or sealed. */
export interface EntryForm {
  readonly storageKey: (key: string) => string;
  /** Throws what the AEAD throws. */
  readonly seal: (key: string, text: string) => string;
  /** Never throws. */
  readonly open: (key: string, stored: Uint8Array) => Opened;
}

/** The largest reply lists 500 repositories and stays below 64 KiB; ciphertext and base64 add half as much again. */
const MAX_STORED_BYTES = 256 * 1024;

/** Entries in clear under `PREFIXKEY`. */
export function createClearForm(keyPrefix: string): EntryForm {
  return {
    storageKey: (key) => keyPrefix + key,
    seal: (_key, text) => text,
    open: (_key, stored) => (stored.length > MAX_STORED_BYTES ? unused("too-large") : decodeText(stored)),
  };
}

export interface SealedFormOptions {
  readonly keyPrefix: string;
  /** Asked at each use: another keyset may be in force by then. */
  readonly currentAead: () => Aead;
  readonly clock: Clock;
  readonly observer: Pick<CacheObserver, "ciphered">;
}

const MARK = "cb-enc:";
const utf8 = new TextEncoder();

/**
 * Entries under `PREFIXenc:KEY` as `cb-enc:` and the padded base64 of the ciphertext. Its associated data is `PREFIXKEY`, so an entry
 * opens under its own key alone.
 */
export function createSealedForm({ keyPrefix, currentAead, clock, observer }: SealedFormOptions): EntryForm {
  const associatedData = (key: string): Uint8Array => utf8.encode(keyPrefix + key);

  const timed = (operation: "encrypt" | "decrypt", run: () => Uint8Array | undefined): Uint8Array | undefined => {
    const startedMs = clock.monotonicMs();
    let result: Uint8Array | undefined;
    try {
      result = run();
      return result;
    } finally {
      const outcome = result === undefined ? "error" : "success";
      observer.ciphered({ operation, outcome, durationMs: clock.monotonicMs() - startedMs });
    }
  };

  return {
    storageKey: (key) => `${keyPrefix}enc:${key}`,
    seal: (key, text) => {
      const plaintext = utf8.encode(text);
      const sealed = timed("encrypt", () => currentAead().seal(plaintext, associatedData(key)));
      if (sealed === undefined) throw new TypeError("sealing always gives a ciphertext");
      return MARK + sealed.toBase64();
    },
    open: (key, stored) => {
      if (stored.length > MAX_STORED_BYTES) return unused("too-large");
      const envelope = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString("latin1");
      if (!envelope.startsWith(MARK)) return unused("not-sealed");
      const ciphertext = decodeBase64(envelope.slice(MARK.length));
      if (ciphertext === undefined) return unused("broken-base64");
      const plaintext = timed("decrypt", () => openOrUndefined(currentAead(), ciphertext, associatedData(key)));
      return plaintext === undefined ? unused("not-decryptable") : decodeText(plaintext);
    },
  };
}

function openOrUndefined(aead: Aead, ciphertext: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined {
  try {
    return aead.open(ciphertext, associatedData);
  } catch {
    return undefined;
  }
}

function decodeText(bytes: Uint8Array): Opened {
  const text = decodeUtf8(bytes);
  // JSON is UTF-8.
  return text === undefined ? unused("broken-json") : { kind: "text", text };
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}

function unused(why: UnusedKind): Opened {
  return { kind: "unused", why };
}
