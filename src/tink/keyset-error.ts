import { BridgeError } from "../lib/bridge-error.ts";

/**
 * Why a keyset, or an edit of one, is refused:
 * - `keyset-malformed`: not the format at all: JSON, base64, protobuf, an unknown or repeated field.
 * - `keyset-wrong-kind`: an encrypted keyset where a cleartext one belongs, or the reverse.
 * - `keyset-invalid`: well-formed, but breaks a rule for keysets: no keys, no enabled primary, an id twice.
 * - `key-invalid`: a key of a known type that its type does not allow, whatever the key's status.
 * - `key-unsupported`: an enabled key that cannot encrypt here: unknown type, 192-bit AES.
 * - the others: an edit that would leave a keyset nobody can use, or names what is not there.
 */
export type KeysetErrorCode =
  | "keyset-malformed"
  | "keyset-wrong-kind"
  | "keyset-invalid"
  | "key-invalid"
  | "key-unsupported"
  | "key-not-found"
  | "key-is-primary"
  | "key-not-enabled"
  | "key-destroyed";

export interface KeysetErrorDetails {
  readonly keyId?: number;
  /** The field at fault by its JSON name, with its place: `key[1].keyData.value`. */
  readonly field?: string;
}

/** Names key id and field, where there are such; never a value that stood in the keyset. */
export class KeysetError extends BridgeError<KeysetErrorCode> {
  readonly details: KeysetErrorDetails;

  constructor(code: KeysetErrorCode, reason: string, details: KeysetErrorDetails = {}) {
    super(code, describe(reason, details));
    this.details = details;
  }
}

function describe(reason: string, { keyId, field }: KeysetErrorDetails): string {
  const place = [keyId === undefined ? "" : `key ${keyId}`, field ?? ""].filter(Boolean).join(", ");
  return place === "" ? `keyset: ${reason}` : `keyset: ${place}: ${reason}`;
}
