import type { EncryptedKeyset, KeysetInfo } from "./encrypted-keyset.ts";
import { allBytes, lastBytes, lastString, lastVarint, mergedMessage, readWireFields } from "./wire-reader.ts";

/**
 * Reads an EncryptedKeyset in its binary form, as tink-go's `NewBinaryWriter` and tinkey's `--out-format binary` write it. As in
 * JSON, the summary has to be well-formed and may say what it likes. Unknown fields are skipped.
 *
 * The ciphertext is a view on `message`. Throws `KeysetError` (`keyset-malformed`).
 */
export function parseBinaryEncryptedKeyset(message: Uint8Array): EncryptedKeyset {
  const fields = readWireFields(message);
  const ciphertext = lastBytes(fields, 2);
  const info = mergedMessage(fields, 3);
  if (info === undefined) return { ciphertext };
  const keys = allBytes(info, 2).map((key) => readKeyInfo(key));
  return { ciphertext, info: { primaryKeyId: lastVarint(info, 1), keys } };
}

function readKeyInfo(message: Uint8Array): KeysetInfo["keys"][number] {
  const fields = readWireFields(message);
  return {
    typeUrl: lastString(fields, 1),
    status: lastVarint(fields, 2),
    keyId: lastVarint(fields, 3),
    outputPrefix: lastVarint(fields, 4),
  };
}
