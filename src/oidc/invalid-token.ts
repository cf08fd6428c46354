import { BridgeError } from "../lib/bridge-error.ts";

/**
 * Why a token is not valid, on its way to the verifier, which makes a value of it.
 *
 * The message goes to the audit entry: it names checks and claims, never what the token holds.
 */
export class InvalidToken extends BridgeError<"invalid-token"> {
  constructor(cause: string) {
    super("invalid-token", cause);
  }
}
