import { parseBinaryEncryptedKeyset } from "./encrypted-keyset-binary.ts";
import { parseEncryptedKeyset, type EncryptedKeyset } from "./encrypted-keyset.ts";
import { parseBinaryKeyset } from "./keyset-binary.ts";
import { parseCleartextKeyset } from "./keyset-json.ts";
import type { Keyset } from "./keyset.ts";
import { KeysetError } from "./keyset-error.ts";
import { readWireFields } from "./wire-reader.ts";

/** A keyset in whichever of Tink's four forms it came. */
export type KeysetDocument =
  | { readonly kind: "cleartext"; readonly keyset: Keyset }
  | { readonly kind: "encrypted"; readonly encrypted: EncryptedKeyset };

/**
 * Reads a keyset of which nothing is known: JSON or binary, in clear or encrypted.
 *
 * A binary one begins with the tag of one of its fields, with which no JSON text can begin. What is in clear is told by its primary's
 * id, what is encrypted by its summary, which tink-go and tinkey leave out; a binary document that has neither is in clear if it can be
 * read so. One that has both is no tool's, and refused rather than guessed at.
 *
 * Bytes of a binary document are shared with the result. Throws `KeysetError` as the parser of the form does, and `keyset-malformed`
 * for what is empty.
 */
export function parseKeysetDocument(document: Uint8Array): KeysetDocument {
  const [first] = document;
  if (first === undefined) throw new KeysetError("keyset-malformed", "there is nothing in it");
  return BINARY_TAGS.has(first) ? parseBinary(document) : parseJson(document);
}

/** Fields 1 (number), 2 and 3 (bytes): all that either message has at its top. */
const BINARY_TAGS: ReadonlySet<number> = new Set([0x08, 0x12, 0x1a]);

function parseBinary(message: Uint8Array): KeysetDocument {
  const fields = readWireFields(message);
  const hasPrimary = fields.some(({ number, kind }) => number === 1 && kind === "varint");
  const hasSummary = fields.some(({ number, kind }) => number === 3 && kind === "bytes");
  if (hasPrimary && hasSummary) {
    throw new KeysetError("keyset-malformed", "it has fields of a keyset in clear and of an encrypted one");
  }
  if (hasPrimary) return { kind: "cleartext", keyset: parseBinaryKeyset(message) };
  return (hasSummary ? undefined : parseWithoutPrimary(message)) ?? parseEncrypted(message);
}

/** Id 0 is not written, and is a legal id. What KMS encrypted reads as a keyset's key by no accident that matters. */
function parseWithoutPrimary(message: Uint8Array): KeysetDocument | undefined {
  try {
    return { kind: "cleartext", keyset: parseBinaryKeyset(message) };
  } catch {
    return undefined;
  }
}

function parseEncrypted(message: Uint8Array): KeysetDocument {
  const encrypted = parseBinaryEncryptedKeyset(message);
  if (encrypted.ciphertext.length > 0) return { kind: "encrypted", encrypted };
  throw new KeysetError("keyset-malformed", "it has no keys, in clear or encrypted");
}

function parseJson(document: Uint8Array): KeysetDocument {
  try {
    return { kind: "cleartext", keyset: parseCleartextKeyset(document) };
  } catch (error) {
    if (!(error instanceof KeysetError) || error.code !== "keyset-wrong-kind") throw error;
    return { kind: "encrypted", encrypted: parseEncryptedKeyset(document) };
  }
}
