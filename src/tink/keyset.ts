/**
 * A Tink keyset as both formats hold it, checked by `validateKeyset`: ids are unique, exactly one key is the primary and it
 * is enabled, and every key of a known type keeps that type's rules.
 *
 * Immutable but for one thing: `wipeKeyset` overwrites the key bytes.
 */
export interface Keyset {
  readonly primaryKeyId: number;
  /** In the order of the document, which decides the order of decryption. */
  readonly keys: readonly Key[];
}

export interface Key {
  /** 0 to 2^32-1. 0 is a legal id. */
  readonly keyId: number;
  readonly status: KeyStatus;
  readonly outputPrefix: OutputPrefix;
  readonly keyData: KeyData;
}

export interface KeyData {
  /** Empty for a destroyed key. Not necessarily a type that we know. */
  readonly typeUrl: string;
  /** The serialized key message: secret. A view on the bytes that were parsed where the format allows it. */
  readonly value: Uint8Array;
  /** Number of the enum `KeyMaterialType`; 1 is SYMMETRIC. Unknown numbers occur in keys of unknown types. */
  readonly keyMaterialType: number;
}

export type KeyStatus = "ENABLED" | "DISABLED" | "DESTROYED";

/** LEGACY differs from CRUNCHY for signatures and MACs only. */
export type OutputPrefix = "TINK" | "LEGACY" | "RAW" | "CRUNCHY";

/** Names and numbers of google.crypto.tink's enums, in the order in which their numbers run from 0. */
export const KEY_STATUS_NAMES = ["UNKNOWN_STATUS", "ENABLED", "DISABLED", "DESTROYED"] as const;
export const OUTPUT_PREFIX_NAMES = [
  "UNKNOWN_PREFIX",
  "TINK",
  "LEGACY",
  "RAW",
  "CRUNCHY",
  "WITH_ID_REQUIREMENT",
] as const;
export const KEY_MATERIAL_NAMES = [
  "UNKNOWN_KEYMATERIAL",
  "SYMMETRIC",
  "ASYMMETRIC_PRIVATE",
  "ASYMMETRIC_PUBLIC",
  "REMOTE",
] as const;

export const SYMMETRIC = 1;

/**
 * Overwrites every key's bytes with zeros. Aeads made from the keyset go on working; the keyset is of no more use.
 * Where the keyset was parsed from binary, the bytes that were parsed are overwritten in the same places.
 */
export function wipeKeyset(keyset: Keyset): void {
  for (const key of keyset.keys) key.keyData.value.fill(0);
}
