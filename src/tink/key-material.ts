import { SYMMETRIC, type KeyData, type OutputPrefix } from "./keyset.ts";
import { KeysetError } from "./keyset-error.ts";
import { lastBytes, lastVarint, mergedMessage, readWireFields, type WireField } from "./wire-reader.ts";

/** A key of one of the AEAD types that tink-go registers, read out of its message. Byte fields are views: secret. */
export type KeyMaterial =
  | { readonly kind: PlainKind; readonly key: Uint8Array }
  | { readonly kind: "x-aes-gcm"; readonly key: Uint8Array; readonly saltSize: number }
  | {
      readonly kind: "aes-ctr-hmac";
      readonly aesKey: Uint8Array;
      readonly ivSize: number;
      readonly hmacKey: Uint8Array;
      readonly hash: HmacHash;
      readonly tagSize: number;
    };

/** Types whose message is a version and a key. */
export type PlainKind = "aes-gcm" | "aes-gcm-siv" | "chacha20-poly1305" | "xchacha20-poly1305";

export type HmacHash = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

export const TYPE_URL_PREFIX = "type.googleapis.com/google.crypto.tink.";

/** Message names. KMS envelope keys are missing on purpose: without a registered KMS client tink-go refuses them too. */
export const MESSAGE_NAMES = {
  "aes-gcm": "AesGcmKey",
  "aes-gcm-siv": "AesGcmSivKey",
  "chacha20-poly1305": "ChaCha20Poly1305Key",
  "xchacha20-poly1305": "XChaCha20Poly1305Key",
  "x-aes-gcm": "XAesGcmKey",
  "aes-ctr-hmac": "AesCtrHmacAeadKey",
} as const satisfies Record<KeyMaterial["kind"], string>;

/** Field of the key bytes and allowed sizes. 24 is a size that AES-GCM keysets may hold and no enabled key may have. */
export const PLAIN_LAYOUT = {
  "aes-gcm": { keyField: 3, keySizes: [16, 24, 32] },
  "aes-gcm-siv": { keyField: 3, keySizes: [16, 32] },
  "chacha20-poly1305": { keyField: 2, keySizes: [32] },
  "xchacha20-poly1305": { keyField: 3, keySizes: [32] },
} as const satisfies Record<PlainKind, { keyField: number; keySizes: readonly number[] }>;

/** By the numbers of google.crypto.tink.HashType, which are in no order. */
export const HASHES: readonly { readonly number: number; readonly name: HmacHash; readonly size: number }[] = [
  { number: 1, name: "sha1", size: 20 },
  { number: 2, name: "sha384", size: 48 },
  { number: 3, name: "sha256", size: 32 },
  { number: 4, name: "sha512", size: 64 },
  { number: 5, name: "sha224", size: 28 },
];

const KIND_BY_TYPE_URL: ReadonlyMap<string, KeyMaterial["kind"]> = new Map([
  [TYPE_URL_PREFIX + MESSAGE_NAMES["aes-gcm"], "aes-gcm"],
  [TYPE_URL_PREFIX + MESSAGE_NAMES["aes-gcm-siv"], "aes-gcm-siv"],
  [TYPE_URL_PREFIX + MESSAGE_NAMES["chacha20-poly1305"], "chacha20-poly1305"],
  [TYPE_URL_PREFIX + MESSAGE_NAMES["xchacha20-poly1305"], "xchacha20-poly1305"],
  [TYPE_URL_PREFIX + MESSAGE_NAMES["x-aes-gcm"], "x-aes-gcm"],
  [TYPE_URL_PREFIX + MESSAGE_NAMES["aes-ctr-hmac"], "aes-ctr-hmac"],
]);

/**
 * Reads a key's message by tink-go's rules. Undefined: a type that is not known, which only an enabled key may not have.
 *
 * Throws `KeysetError` with `key-invalid` and `keyset-malformed`, both with `keyId`.
 */
export function parseKeyMaterial(keyId: number, data: KeyData, prefix: OutputPrefix): KeyMaterial | undefined {
  const kind = KIND_BY_TYPE_URL.get(data.typeUrl);
  if (kind === undefined) return undefined;
  const check: Check = (holds, field, reason) => {
    if (!holds) throw new KeysetError("key-invalid", reason, { keyId, field: `keyData.${field}` });
  };
  check(data.keyMaterialType === SYMMETRIC, "keyMaterialType", "must be SYMMETRIC");
  const message = naming(keyId, () => readWireFields(data.value));
  checkVersion(message, "value.version", check);
  if (kind === "x-aes-gcm") return naming(keyId, () => parseXAesGcm(message, prefix, check));
  if (kind === "aes-ctr-hmac") return naming(keyId, () => parseAesCtrHmac(message, check));
  const key = lastBytes(message, PLAIN_LAYOUT[kind].keyField);
  checkSize(key, PLAIN_LAYOUT[kind].keySizes, check);
  return { kind, key };
}

type Check = (holds: boolean, field: string, reason: string) => void;

function parseXAesGcm(message: readonly WireField[], prefix: OutputPrefix, check: Check): KeyMaterial {
  check(
    prefix === "TINK" || prefix === "RAW",
    "typeUrl",
    `X-AES-GCM allows TINK and RAW as outputPrefixType, not ${prefix}`,
  );
  const key = lastBytes(message, 3);
  const saltSize = lastVarint(mergedMessage(message, 2) ?? [], 1);
  checkSize(key, [32], check);
  check(saltSize >= 8 && saltSize <= 12, "value.params.saltSize", `must be 8 to 12, is ${saltSize}`);
  return { kind: "x-aes-gcm", key, saltSize };
}

function parseAesCtrHmac(message: readonly WireField[], check: Check): KeyMaterial {
  const ctr = mergedMessage(message, 2) ?? [];
  const hmac = mergedMessage(message, 3) ?? [];
  checkVersion(ctr, "value.aesCtrKey.version", check);
  checkVersion(hmac, "value.hmacKey.version", check);
  const hmacParams = mergedMessage(hmac, 2) ?? [];
  const hash = HASHES.find(({ number }) => number === lastVarint(hmacParams, 1));
  if (hash === undefined) return unknownHash(check);
  const aesKey = lastBytes(ctr, 3);
  const hmacKey = lastBytes(hmac, 3);
  const ivSize = lastVarint(mergedMessage(ctr, 2) ?? [], 1);
  const tagSize = lastVarint(hmacParams, 2);
  checkSize(aesKey, [16, 24, 32], check, "value.aesCtrKey.keyValue");
  check(hmacKey.length >= 16, "value.hmacKey.keyValue", `must have 16 bytes or more, has ${hmacKey.length}`);
  check(ivSize >= 12 && ivSize <= 16, "value.aesCtrKey.params.ivSize", `must be 12 to 16, is ${ivSize}`);
  const tagFits = tagSize >= 10 && tagSize <= hash.size;
  check(tagFits, "value.hmacKey.params.tagSize", `must be 10 to ${hash.size} for ${hash.name}, is ${tagSize}`);
  return { kind: "aes-ctr-hmac", aesKey, ivSize, hmacKey, hash: hash.name, tagSize };
}

function unknownHash(check: Check): never {
  check(false, "value.hmacKey.params.hash", "is not a hash that is known");
  throw new TypeError("a failed check returns");
}

function checkVersion(message: readonly WireField[], field: string, check: Check): void {
  const version = lastVarint(message, 1);
  check(version === 0, field, `must be 0, is ${version}`);
}

function checkSize(key: Uint8Array, sizes: readonly number[], check: Check, field = "value.keyValue"): void {
  check(sizes.includes(key.length), field, `must have ${sizes.join(" or ")} bytes, has ${key.length}`);
}

/** The wire reader knows no keys: its faults get the id here. */
function naming<T>(keyId: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof KeysetError) || error.code !== "keyset-malformed") throw error;
    throw new KeysetError("key-invalid", "is not a protobuf message", { keyId, field: "keyData.value" });
  }
}
