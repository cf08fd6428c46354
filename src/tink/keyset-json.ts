import { malformed, readBase64, readEnum, readFields, readString, readUint32 } from "./json-fields.ts";
import { parseJsonText, type JsonNode } from "./json-text.ts";
import { KEY_MATERIAL_NAMES, KEY_STATUS_NAMES, OUTPUT_PREFIX_NAMES, SYMMETRIC } from "./keyset.ts";
import type { Key, KeyData, Keyset } from "./keyset.ts";
import { KeysetError } from "./keyset-error.ts";
import { validateKeyset, type UncheckedKey } from "./validate-keyset.ts";

/**
 * Reads a cleartext keyset in JSON with tink-go's verdict on every document: unknown and repeated fields are refused.
 * Where it differs it is stricter: tink-go also takes line breaks inside base64 when they come in fours, text behind a number
 * in a string, and an exponent without digits.
 *
 * Throws `KeysetError` with `keyset-malformed`, `keyset-wrong-kind`, `keyset-invalid` or `key-invalid`.
 */
export function parseCleartextKeyset(document: Uint8Array): Keyset {
  const node = parseJsonText(document);
  if (hasField(node, /^encrypted_?keyset$/i)) {
    throw new KeysetError("keyset-wrong-kind", "this one is encrypted, a cleartext one is needed here");
  }
  const fields = readFields(node, "", ["primaryKeyId", "key"]);
  const keys = fields.get("key");
  if (keys !== undefined && keys.kind !== "array") throw malformed("key", "must be an array");
  return validateKeyset({
    primaryKeyId: readUint32(fields.get("primaryKeyId"), "primaryKeyId"),
    keys: keys?.items.map((key, index) => readKey(key, `key[${index}]`)) ?? [],
  });
}

/**
 * A cleartext keyset in the JSON that tink-go and tinkey both read: camelCase, integer ids, names of enums, padded base64.
 * The result is as secret as the keys, and a string: it cannot be wiped.
 */
export function writeCleartextKeyset(keyset: Keyset): string {
  return `${JSON.stringify({ primaryKeyId: keyset.primaryKeyId, key: keyset.keys.map(writeKey) })}\n`;
}

export function hasField(node: JsonNode, name: RegExp): boolean {
  return node.kind === "object" && node.entries.some(([spelling]) => name.test(spelling));
}

function readKey(node: JsonNode, place: string): UncheckedKey {
  const fields = readFields(node, place, ["keyData", "status", "keyId", "outputPrefixType"]);
  const data = fields.get("keyData");
  return {
    keyId: readUint32(fields.get("keyId"), `${place}.keyId`),
    status: readEnum(fields.get("status"), `${place}.status`, KEY_STATUS_NAMES),
    outputPrefix: readEnum(fields.get("outputPrefixType"), `${place}.outputPrefixType`, OUTPUT_PREFIX_NAMES),
    keyData: data === undefined ? undefined : readKeyData(data, `${place}.keyData`),
  };
}

function readKeyData(node: JsonNode, place: string): KeyData {
  const fields = readFields(node, place, ["typeUrl", "value", "keyMaterialType"]);
  return {
    typeUrl: readString(fields.get("typeUrl"), `${place}.typeUrl`),
    value: readBase64(fields.get("value"), `${place}.value`),
    keyMaterialType: readEnum(fields.get("keyMaterialType"), `${place}.keyMaterialType`, KEY_MATERIAL_NAMES),
  };
}

function writeKey({ keyData, status, keyId, outputPrefix }: Key): unknown {
  // tinkey refuses UNKNOWN_KEYMATERIAL, its own output for a destroyed key; tink-go does not look at a key without a type.
  const material = keyData.typeUrl === "" ? SYMMETRIC : keyData.keyMaterialType;
  return {
    keyData: {
      typeUrl: keyData.typeUrl,
      value: Buffer.from(keyData.value).toString("base64"),
      keyMaterialType: KEY_MATERIAL_NAMES[material] ?? material,
    },
    status,
    keyId,
    outputPrefixType: outputPrefix,
  };
}
