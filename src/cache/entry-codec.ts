/**
 * Why a stored entry is not used:
 * - never readable, by anyone, so it may be deleted: `not-sealed` (no envelope where one must be), `broken-base64`, `broken-json`
 * - `purged`: taken back since it was made
 * - perhaps readable by another instance, or later: `not-decryptable` (a key that is not loaded here, or tampered with), `malformed` (JSON
 *   of another shape), `another-request`, `expiry` (too near or too far), `too-large`, `wrong-type` (no string)
 */
export type UnusedKind =
  | "not-sealed"
  | "broken-base64"
  | "broken-json"
  | "not-decryptable"
  | "malformed"
  | "another-request"
  | "expiry"
  | "purged"
  | "too-large"
  | "wrong-type";

export type Decoded<Value> =
  { readonly kind: "value"; readonly value: Value } | { readonly kind: "unused"; readonly why: UnusedKind };

/** Writes values as text, and reads those that are for the request at hand: whoever can write to the store must not be able to swap them. */
export interface EntryCodec<Value> {
  readonly encode: (value: Value) => string;
  /** Never throws. */
  readonly decode: (text: string) => Decoded<Value>;
}

/** Whether an entry can never become readable: one under a key that this instance has not loaded yet can, and is nobody's to destroy. */
export function isBrokenForEver(why: UnusedKind): boolean {
  return why === "not-sealed" || why === "broken-base64" || why === "broken-json";
}
