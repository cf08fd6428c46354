import { malformed, readBase64, readEnum, readFields, readString, readUint32 } from "./json-fields.ts";
import { parseJsonText, type JsonNode } from "./json-text.ts";
import { KEY_STATUS_NAMES, OUTPUT_PREFIX_NAMES, type Keyset } from "./keyset.ts";
import { KeysetError } from "./keyset-error.ts";
import { hasField } from "./keyset-json.ts";

/** An EncryptedKeyset document: the binary keyset under a KMS key, and a readable summary that nothing protects. */
export interface EncryptedKeyset {
  readonly ciphertext: Uint8Array;
  /** As the document says; whoever could write it could write anything. Undefined: it says nothing. */
  readonly info?: KeysetInfo;
}

export interface KeysetInfo {
  readonly primaryKeyId: number;
  readonly keys: readonly {
    readonly typeUrl: string;
    readonly status: number;
    readonly keyId: number;
    readonly outputPrefix: number;
  }[];
}

/**
 * Reads an EncryptedKeyset in JSON. As in tink-go, `keysetInfo` has to be well-formed and may say what it likes, and the
 * ciphertext may be empty: that is for the decryption to refuse.
 *
 * Throws `KeysetError` with `keyset-malformed` or `keyset-wrong-kind`.
 */
export function parseEncryptedKeyset(document: Uint8Array): EncryptedKeyset {
  const node = parseJsonText(document);
  if (!hasField(node, /^encrypted_?keyset$/i) && hasField(node, /^(primary_?key_?id|key)$/i)) {
    throw new KeysetError("keyset-wrong-kind", "this one is in clear text, an encrypted one is needed here");
  }
  const fields = readFields(node, "", ["encryptedKeyset", "keysetInfo"]);
  const ciphertext = readBase64(fields.get("encryptedKeyset"), "encryptedKeyset");
  const info = fields.get("keysetInfo");
  return info === undefined ? { ciphertext } : { ciphertext, info: readInfo(info) };
}

/** The document for a binary keyset that was encrypted by KMS, with the summary that tinkey writes. Nothing in it is secret. */
export function writeEncryptedKeyset(ciphertext: Uint8Array, keyset: Keyset): string {
  return `${JSON.stringify({
    encryptedKeyset: Buffer.from(ciphertext).toString("base64"),
    keysetInfo: {
      primaryKeyId: keyset.primaryKeyId,
      keyInfo: keyset.keys.map(({ keyData, status, keyId, outputPrefix }) => ({
        typeUrl: keyData.typeUrl,
        status,
        keyId,
        outputPrefixType: outputPrefix,
      })),
    },
  })}\n`;
}

/** Whether the summary of a document tells what was really decrypted. True when there is none: it claims nothing. */
export function infoAgrees(info: KeysetInfo | undefined, keyset: Keyset): boolean {
  if (info === undefined) return true;
  const claimed = info.keys.map(({ typeUrl, status, keyId, outputPrefix }) => [typeUrl, status, keyId, outputPrefix]);
  const actual = keyset.keys.map(({ keyData, status, keyId, outputPrefix }) => [
    keyData.typeUrl,
    KEY_STATUS_NAMES.indexOf(status),
    keyId,
    OUTPUT_PREFIX_NAMES.indexOf(outputPrefix),
  ]);
  return info.primaryKeyId === keyset.primaryKeyId && Bun.deepEquals(claimed, actual);
}

function readInfo(node: JsonNode): KeysetInfo {
  const fields = readFields(node, "keysetInfo", ["primaryKeyId", "keyInfo"]);
  const keys = fields.get("keyInfo");
  if (keys !== undefined && keys.kind !== "array") throw malformed("keysetInfo.keyInfo", "must be an array");
  return {
    primaryKeyId: readUint32(fields.get("primaryKeyId"), "keysetInfo.primaryKeyId"),
    keys: keys?.items.map((key, index) => readKeyInfo(key, `keysetInfo.keyInfo[${index}]`)) ?? [],
  };
}

function readKeyInfo(node: JsonNode, place: string): KeysetInfo["keys"][number] {
  const fields = readFields(node, place, ["typeUrl", "status", "keyId", "outputPrefixType"]);
  return {
    typeUrl: readString(fields.get("typeUrl"), `${place}.typeUrl`),
    status: readEnum(fields.get("status"), `${place}.status`, KEY_STATUS_NAMES),
    keyId: readUint32(fields.get("keyId"), `${place}.keyId`),
    outputPrefix: readEnum(fields.get("outputPrefixType"), `${place}.outputPrefixType`, OUTPUT_PREFIX_NAMES),
  };
}
