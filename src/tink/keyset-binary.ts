import { KEY_STATUS_NAMES, OUTPUT_PREFIX_NAMES, type Key, type KeyData, type Keyset } from "./keyset.ts";
import { validateKeyset, type UncheckedKey } from "./validate-keyset.ts";
import {
  allBytes,
  lastBytes,
  lastString,
  lastVarint,
  mergedMessage,
  readWireFields,
  type WireField,
} from "./wire-reader.ts";
import { bytesField, concatBytes, presentField, varintField } from "./wire-writer.ts";

/**
 * Reads the binary form of a cleartext keyset: what KMS decrypts to. Unknown fields are skipped, as protobuf says.
 *
 * Key bytes of the result are views on `message`, so overwriting the one wipes the other.
 * Throws `KeysetError` with `keyset-malformed`, `keyset-invalid` or `key-invalid`.
 */
export function parseBinaryKeyset(message: Uint8Array): Keyset {
  const fields = readWireFields(message);
  return validateKeyset({
    primaryKeyId: lastVarint(fields, 1),
    keys: allBytes(fields, 2).map((key) => readKey(readWireFields(key))),
  });
}

/** The binary form as tink-go and tinkey write it, byte for byte. The result holds key bytes: wipe it after use. */
export function writeKeysetBinary(keyset: Keyset): Uint8Array<ArrayBuffer> {
  return concatBytes([
    varintField(1, keyset.primaryKeyId),
    ...keyset.keys.map((key) => presentField(2, writeKey(key))),
  ]);
}

function readKey(fields: readonly WireField[]): UncheckedKey {
  const data = mergedMessage(fields, 1);
  return {
    keyId: lastVarint(fields, 3),
    status: lastVarint(fields, 2),
    outputPrefix: lastVarint(fields, 4),
    keyData: data === undefined ? undefined : readKeyData(data),
  };
}

function readKeyData(fields: readonly WireField[]): KeyData {
  return { typeUrl: lastString(fields, 1), value: lastBytes(fields, 2), keyMaterialType: lastVarint(fields, 3) };
}

function writeKey({ keyId, status, outputPrefix, keyData }: Key): Uint8Array {
  const data = concatBytes([
    bytesField(1, new TextEncoder().encode(keyData.typeUrl)),
    bytesField(2, keyData.value),
    varintField(3, keyData.keyMaterialType),
  ]);
  return concatBytes([
    // Present also when empty, as in a destroyed key: tink-go refuses a key without this field.
    presentField(1, data),
    varintField(2, KEY_STATUS_NAMES.indexOf(status)),
    varintField(3, keyId),
    varintField(4, OUTPUT_PREFIX_NAMES.indexOf(outputPrefix)),
  ]);
}
