import type { RandomBytes } from "../lib/random.ts";
import { createAead } from "./create-aead.ts";
import type { KeyTemplate } from "./key-templates.ts";
import type { Key, Keyset, KeyStatus } from "./keyset.ts";
import { KeysetError } from "./keyset-error.ts";

/**
 * Edits of a keyset: each gives a new one that shares the key bytes of the old. None of them can leave a keyset that
 * `createAead` refuses, given one that it takes. Doing what is done already gives an equal keyset and is no error.
 */
export function createKeyset(template: KeyTemplate, random: RandomBytes): Keyset {
  const key = createKey(template, random, new Set());
  return { primaryKeyId: key.keyId, keys: [key] };
}

/** Appends an enabled key that opens and does not yet seal. Its id is random, not 0, and new to the keyset. */
export function addKey(keyset: Keyset, template: KeyTemplate, random: RandomBytes): { keyset: Keyset; keyId: number } {
  const key = createKey(template, random, new Set(keyset.keys.map(({ keyId }) => keyId)));
  return { keyset: { ...keyset, keys: [...keyset.keys, key] }, keyId: key.keyId };
}

/** Throws `KeysetError` with `key-not-found` or `key-not-enabled`. */
export function promoteKey(keyset: Keyset, keyId: number): Keyset {
  const key = findKey(keyset, keyId);
  if (key.status !== "ENABLED")
    throw refusal("key-not-enabled", `is ${key.status} and cannot become the primary`, keyId);
  return { ...keyset, primaryKeyId: keyId };
}

/** Throws `KeysetError` with `key-not-found`, `key-is-primary` or `key-destroyed`. */
export function disableKey(keyset: Keyset, keyId: number): Keyset {
  refusePrimary(keyset, keyId, "disabled");
  return withStatus(keyset, keyId, "DISABLED");
}

/** Throws `KeysetError` with `key-not-found`, `key-destroyed`, or `key-unsupported` for a key that could not be used. */
export function enableKey(keyset: Keyset, keyId: number): Keyset {
  const enabled = withStatus(keyset, keyId, "ENABLED");
  createAead(enabled);
  return enabled;
}

/** Takes the key out. Throws `KeysetError` with `key-not-found` or `key-is-primary`. */
export function deleteKey(keyset: Keyset, keyId: number): Keyset {
  refusePrimary(keyset, keyId, "deleted");
  findKey(keyset, keyId);
  return { ...keyset, keys: keyset.keys.filter((key) => key.keyId !== keyId) };
}

/** Takes the key's bytes out and keeps its id from being given again. Throws as `deleteKey` does. */
export function destroyKey(keyset: Keyset, keyId: number): Keyset {
  refusePrimary(keyset, keyId, "destroyed");
  const keyData = { typeUrl: "", value: new Uint8Array(), keyMaterialType: 0 };
  return replaceKey(keyset, { ...findKey(keyset, keyId), status: "DESTROYED", keyData });
}

function withStatus(keyset: Keyset, keyId: number, status: KeyStatus): Keyset {
  const key = findKey(keyset, keyId);
  if (key.status === "DESTROYED") throw refusal("key-destroyed", "is destroyed", keyId);
  return replaceKey(keyset, { ...key, status });
}

function replaceKey(keyset: Keyset, changed: Key): Keyset {
  return { ...keyset, keys: keyset.keys.map((key) => (key.keyId === changed.keyId ? changed : key)) };
}

function findKey(keyset: Keyset, keyId: number): Key {
  const key = keyset.keys.find((candidate) => candidate.keyId === keyId);
  if (key === undefined) throw new KeysetError("key-not-found", `there is no key ${keyId} in the keyset`);
  return key;
}

function refusePrimary(keyset: Keyset, keyId: number, verb: string): void {
  if (keyId === keyset.primaryKeyId) throw refusal("key-is-primary", `is the primary key and cannot be ${verb}`, keyId);
}

function refusal(
  code: "key-not-enabled" | "key-is-primary" | "key-destroyed",
  reason: string,
  keyId: number,
): KeysetError {
  return new KeysetError(code, reason, { keyId });
}

function createKey(template: KeyTemplate, random: RandomBytes, taken: ReadonlySet<number>): Key {
  const keyData = template.createKeyData(random);
  return { keyId: freshKeyId(random, taken), status: "ENABLED", outputPrefix: template.outputPrefix, keyData };
}

function freshKeyId(random: RandomBytes, taken: ReadonlySet<number>): number {
  for (;;) {
    const keyId = new DataView(random(4).buffer).getUint32(0);
    if (keyId !== 0 && !taken.has(keyId)) return keyId;
  }
}
