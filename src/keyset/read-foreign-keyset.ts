import { KeysetError } from "../tink/keyset-error.ts";
import { parseCleartextKeyset } from "../tink/keyset-json.ts";
import { wipeKeyset, type Keyset } from "../tink/keyset.ts";
import type { KeyUnwrapper } from "./key-unwrapper.ts";
import { KeysetFailure } from "./keyset-failure.ts";
import { refusing, unwrapKeyset } from "./unwrap-keyset.ts";

export interface KmsAccess {
  readonly unwrapper: KeyUnwrapper;
  readonly kmsKeyArn: string;
}

/** A keyset that came from elsewhere. Disposing of it wipes its key bytes. */
export interface ForeignKeyset extends Disposable {
  readonly keyset: Keyset;
  readonly cleartext: boolean;
}

/**
 * Reads a JSON keyset of either kind, as tinkey writes them. The document is the caller's to wipe.
 *
 * Throws `KeysetFailure`: `keyset-refused` for what is neither, and for an encrypted one when there is no KMS key to open it with.
 */
export async function readForeignKeyset(
  document: Uint8Array,
  kms: KmsAccess | undefined,
  signal?: AbortSignal,
): Promise<ForeignKeyset> {
  const keyset = refusing("file", "the file", () => parseUnlessEncrypted(document));
  if (keyset !== undefined) return { keyset, cleartext: true, [Symbol.dispose]: () => wipeKeyset(keyset) };
  if (kms === undefined) {
    throw new KeysetFailure("keyset-refused", "kms", "the keyset in the file is encrypted and no KMS key is given");
  }
  const unwrapped = await unwrapKeyset(new TextDecoder().decode(document), "the file", kms, signal);
  return { keyset: unwrapped.keyset, cleartext: false, [Symbol.dispose]: () => void unwrapped.plaintext.fill(0) };
}

function parseUnlessEncrypted(document: Uint8Array): Keyset | undefined {
  try {
    return parseCleartextKeyset(document);
  } catch (error) {
    if (error instanceof KeysetError && error.code === "keyset-wrong-kind") return undefined;
    throw error;
  }
}
