import { parseKeysetDocument } from "../tink/keyset-document.ts";
import { wipeKeyset, type Keyset } from "../tink/keyset.ts";
import type { KmsAccess } from "./key-unwrapper.ts";
import { KeysetFailure } from "./keyset-failure.ts";
import { decryptKeyset, refusing } from "./unwrap-keyset.ts";

/** A keyset that came from elsewhere. Disposing of it wipes its key bytes. */
export interface ForeignKeyset extends Disposable {
  readonly keyset: Keyset;
  readonly cleartext: boolean;
}

/**
 * Reads a keyset as tinkey and tink-go write them: JSON or binary, in clear or encrypted. The document is the caller's to wipe.
 *
 * Throws `KeysetFailure`: `keyset-refused` for what is neither, and for an encrypted one when there is no KMS key to open it with.
 */
export async function readForeignKeyset(
  document: Uint8Array,
  kms: KmsAccess | undefined,
  signal?: AbortSignal,
): Promise<ForeignKeyset> {
  const found = refusing("file", "the file", () => parseKeysetDocument(document));
  if (found.kind === "cleartext") {
    const { keyset } = found;
    return { keyset, cleartext: true, [Symbol.dispose]: () => wipeKeyset(keyset) };
  }
  if (kms === undefined) {
    throw new KeysetFailure("keyset-refused", "kms", "the keyset in the file is encrypted and no KMS key is given");
  }
  const { keyset, plaintext } = await decryptKeyset(found.encrypted, "the file", kms, signal);
  return { keyset, cleartext: false, [Symbol.dispose]: () => void plaintext.fill(0) };
}
