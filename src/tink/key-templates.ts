import type { RandomBytes } from "../lib/random.ts";
import {
  HASHES,
  MESSAGE_NAMES,
  parseKeyMaterial,
  PLAIN_LAYOUT,
  TYPE_URL_PREFIX,
  type PlainKind,
} from "./key-material.ts";
import { SYMMETRIC, type Key, type KeyData, type OutputPrefix } from "./keyset.ts";
import { bytesField, concatBytes, presentField, varintField } from "./wire-writer.ts";

/** What a new key is, without its bytes. */
export interface KeyTemplate {
  readonly name: string;
  readonly outputPrefix: OutputPrefix;
  readonly createKeyData: (random: RandomBytes) => KeyData;
}

/** The templates of tinkey whose keys tink-go's AEAD takes, by tinkey's names. (It makes EAX keys too, which tink-go refuses.) */
export const KEY_TEMPLATES: readonly KeyTemplate[] = [
  ...withRaw("AES128_GCM", plain("aes-gcm", 16)),
  ...withRaw("AES256_GCM", plain("aes-gcm", 32)),
  ...withRaw("AES128_GCM_SIV", plain("aes-gcm-siv", 16)),
  ...withRaw("AES256_GCM_SIV", plain("aes-gcm-siv", 32)),
  ...withRaw("AES128_CTR_HMAC_SHA256", aesCtrHmac(16, 16)),
  ...withRaw("AES256_CTR_HMAC_SHA256", aesCtrHmac(32, 32)),
  ...withRaw("CHACHA20_POLY1305", plain("chacha20-poly1305", 32)),
  ...withRaw("XCHACHA20_POLY1305", plain("xchacha20-poly1305", 32)),
  { name: "XAES_256_GCM_192_BIT_NONCE", outputPrefix: "TINK", createKeyData: xAesGcm(12) },
  { name: "XAES_256_GCM_192_BIT_NONCE_NO_PREFIX", outputPrefix: "RAW", createKeyData: xAesGcm(12) },
  { name: "XAES_256_GCM_160_BIT_NONCE_NO_PREFIX", outputPrefix: "RAW", createKeyData: xAesGcm(8) },
  { name: "X_AES_GCM_8_BYTE_SALT_NO_PREFIX", outputPrefix: "RAW", createKeyData: xAesGcm(8) },
];

export const DEFAULT_TEMPLATE = "AES256_GCM";

/** Throws `TypeError` for a name that is none of `KEY_TEMPLATES`'. */
export function findTemplate(name: string): KeyTemplate {
  const template = KEY_TEMPLATES.find((candidate) => candidate.name === name);
  if (template !== undefined) return template;
  throw new TypeError("no key template of this name");
}

/**
 * What kind of key this is, in the style of the templates' names and without the prefix: `AES256_GCM`. For types that are not
 * known the last part of the type URL, for a destroyed key `NONE`.
 */
export function keyTypeName({ keyId, keyData, outputPrefix }: Key): string {
  const material = parseKeyMaterial(keyId, keyData, outputPrefix);
  if (material === undefined) return keyData.typeUrl === "" ? "NONE" : (keyData.typeUrl.split(/[./]/).at(-1) ?? "");
  switch (material.kind) {
    case "aes-gcm":
      return `AES${material.key.length * 8}_GCM`;
    case "aes-gcm-siv":
      return `AES${material.key.length * 8}_GCM_SIV`;
    case "chacha20-poly1305":
      return "CHACHA20_POLY1305";
    case "xchacha20-poly1305":
      return "XCHACHA20_POLY1305";
    case "x-aes-gcm":
      return `XAES_256_GCM_${(material.saltSize + 12) * 8}_BIT_NONCE`;
    case "aes-ctr-hmac":
      return `AES${material.aesKey.length * 8}_CTR_HMAC_${material.hash.toUpperCase()}`;
    default:
      return material satisfies never;
  }
}

function withRaw(name: string, createKeyData: KeyTemplate["createKeyData"]): KeyTemplate[] {
  return [
    { name, outputPrefix: "TINK", createKeyData },
    { name: `${name}_RAW`, outputPrefix: "RAW", createKeyData },
  ];
}

function plain(kind: PlainKind, keySize: number): KeyTemplate["createKeyData"] {
  return (random) => dataOf(kind, [bytesField(PLAIN_LAYOUT[kind].keyField, random(keySize))]);
}

function xAesGcm(saltSize: number): KeyTemplate["createKeyData"] {
  return (random) => dataOf("x-aes-gcm", [presentField(2, varintField(1, saltSize)), bytesField(3, random(32))]);
}

/** IV of 16 bytes, HMAC-SHA256 with a key of 32 bytes: what both templates have in common. */
function aesCtrHmac(aesKeySize: number, tagSize: number): KeyTemplate["createKeyData"] {
  const sha256 = HASHES.find(({ name }) => name === "sha256")?.number ?? 0;
  const hmacParams = concatBytes([varintField(1, sha256), varintField(2, tagSize)]);
  return (random) =>
    dataOf("aes-ctr-hmac", [
      presentField(2, concatBytes([presentField(2, varintField(1, 16)), bytesField(3, random(aesKeySize))])),
      presentField(3, concatBytes([presentField(2, hmacParams), bytesField(3, random(32))])),
    ]);
}

function dataOf(kind: keyof typeof MESSAGE_NAMES, fields: readonly Uint8Array[]): KeyData {
  return { typeUrl: TYPE_URL_PREFIX + MESSAGE_NAMES[kind], value: concatBytes(fields), keyMaterialType: SYMMETRIC };
}
