import { BridgeError } from "../lib/bridge-error.ts";

/** Where loading or writing a keyset stands, as operators are told. */
export type KeysetStep = "secret" | "file" | "kms" | "keyset" | "self-test";

/**
 * - `keyset-unavailable`: the step's service or file did not give, or take, what was asked.
 * - `keyset-absent`: there is a place for the keyset and nothing in it.
 * - `keyset-refused`: what was read is no keyset that can be used.
 * - `keyset-exists`: one would be overwritten that was not to be.
 * - `keyset-too-large`: over what KMS encrypts.
 * - `keyset-conflict`: others kept changing it meanwhile.
 */
export type KeysetFailureCode =
  "keyset-unavailable" | "keyset-absent" | "keyset-refused" | "keyset-exists" | "keyset-too-large" | "keyset-conflict";

/** A keyset could not be loaded or written. The message names the step; the cause, where there is one, says why. */
export class KeysetFailure extends BridgeError<KeysetFailureCode> {
  readonly step: KeysetStep;

  constructor(code: KeysetFailureCode, step: KeysetStep, reason: string, options?: ErrorOptions) {
    super(code, `keyset, step ${step}: ${reason}`, options);
    this.step = step;
  }
}
