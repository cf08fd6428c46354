import { infoAgrees, parseEncryptedKeyset, type EncryptedKeyset } from "../tink/encrypted-keyset.ts";
import { parseBinaryKeyset } from "../tink/keyset-binary.ts";
import type { Keyset } from "../tink/keyset.ts";
import type { KeyUnwrapper, KmsAccess } from "./key-unwrapper.ts";
import { KeysetFailure } from "./keyset-failure.ts";

/** A decrypted keyset whose key bytes are views on `plaintext`: overwriting that wipes them. */
export interface UnwrappedKeyset {
  readonly keyset: Keyset;
  readonly plaintext: Uint8Array;
  readonly summaryAgrees: boolean;
}

/**
 * Decrypts an EncryptedKeyset document under a KMS key. `place` is where it came from, for the message.
 *
 * Throws `KeysetFailure`: `keyset-refused` in step secret when the document is none (a cleartext keyset, say),
 * `keyset-unavailable` in step kms, `keyset-refused` in step keyset when something else was encrypted.
 */
export async function unwrapKeyset(
  document: string,
  place: string,
  kms: KmsAccess,
  signal?: AbortSignal,
): Promise<UnwrappedKeyset> {
  const encrypted = refusing("secret", place, () => parseEncryptedKeyset(new TextEncoder().encode(document)));
  return await decryptKeyset(encrypted, place, kms, signal);
}

/** As `unwrapKeyset`, from the two steps that come after reading the document on. */
export async function decryptKeyset(
  { ciphertext, info }: EncryptedKeyset,
  place: string,
  { unwrapper, kmsKeyArn }: KmsAccess,
  signal?: AbortSignal,
): Promise<UnwrappedKeyset> {
  const plaintext = await decrypt(unwrapper, kmsKeyArn, ciphertext, signal);
  try {
    const keyset = refusing("keyset", place, () => parseBinaryKeyset(plaintext));
    return { keyset, plaintext, summaryAgrees: infoAgrees(info, keyset) };
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
}

/** Turns what a parser refuses into a failure of the step. */
export function refusing<T>(step: "secret" | "file" | "keyset", place: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new KeysetFailure("keyset-refused", step, `what ${place} holds cannot be used`, { cause });
  }
}

async function decrypt(
  unwrapper: KeyUnwrapper,
  kmsKeyArn: string,
  ciphertext: Uint8Array,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  try {
    return await unwrapper.decrypt(kmsKeyArn, ciphertext, signal);
  } catch (cause) {
    throw new KeysetFailure("keyset-unavailable", "kms", `decrypting under ${kmsKeyArn}`, { cause });
  }
}
