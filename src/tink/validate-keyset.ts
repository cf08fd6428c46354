import { parseKeyMaterial } from "./key-material.ts";
import type { Key, KeyData, Keyset, KeyStatus, OutputPrefix } from "./keyset.ts";
import { KeysetError } from "./keyset-error.ts";

/** A keyset as either format spells it: enums are any number, nothing is checked. */
export interface UncheckedKeyset {
  readonly primaryKeyId: number;
  readonly keys: readonly UncheckedKey[];
}

export interface UncheckedKey {
  readonly keyId: number;
  readonly status: number;
  readonly outputPrefix: number;
  /** Undefined: absent. A destroyed key has one that is present and empty. */
  readonly keyData: KeyData | undefined;
}

const STATUSES: ReadonlyMap<number, KeyStatus> = new Map([
  [1, "ENABLED"],
  [2, "DISABLED"],
  [3, "DESTROYED"],
]);
const PREFIXES: ReadonlyMap<number, OutputPrefix> = new Map([
  [1, "TINK"],
  [2, "LEGACY"],
  [3, "RAW"],
  [4, "CRUNCHY"],
]);

/**
 * tink-go's rules for reading a keyset (keyset/validation.go, then each type's key parser), in its order. Keys of known types
 * are checked whatever their status; keys of unknown types pass here and fail in `createAead` if they are enabled.
 *
 * Throws `KeysetError` with `keyset-invalid` or `key-invalid`, naming key id and field.
 */
export function validateKeyset({ primaryKeyId, keys }: UncheckedKeyset): Keyset {
  if (keys.length === 0) throw invalid("has no keys");
  const seen = new Set<number>();
  const checked: Key[] = [];
  for (const unchecked of keys) {
    const key = checkKey(unchecked);
    if (seen.has(key.keyId)) throw invalid("two keys have this id", key.keyId, "keyId");
    if (key.keyId === primaryKeyId && key.status !== "ENABLED") {
      throw invalid(`the primary key must be ENABLED, is ${key.status}`, key.keyId, "status");
    }
    seen.add(key.keyId);
    checked.push(key);
  }
  if (!seen.has(primaryKeyId)) throw invalid(`no key has the primary id ${primaryKeyId}`, undefined, "primaryKeyId");
  for (const key of checked) parseKeyMaterial(key.keyId, key.keyData, key.outputPrefix);
  return { primaryKeyId, keys: checked };
}

function checkKey({ keyId, keyData, outputPrefix, status }: UncheckedKey): Key {
  if (keyData === undefined) throw invalid("is missing", keyId, "keyData");
  const knownPrefix = PREFIXES.get(outputPrefix);
  if (knownPrefix === undefined) throw invalid("must be TINK, LEGACY, RAW or CRUNCHY", keyId, "outputPrefixType");
  const knownStatus = STATUSES.get(status);
  if (knownStatus === undefined) throw invalid("must be ENABLED, DISABLED or DESTROYED", keyId, "status");
  return { keyId, status: knownStatus, outputPrefix: knownPrefix, keyData };
}

function invalid(reason: string, keyId?: number, field?: string): KeysetError {
  return new KeysetError("keyset-invalid", reason, {
    ...(keyId === undefined ? {} : { keyId }),
    ...(field === undefined ? {} : { field }),
  });
}
