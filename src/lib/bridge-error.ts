/**
 * A fault with a stable code that tests and the error table match on.
 *
 * The message names the operation that failed and identifiers; never a token, key, header, body or raw claim set.
 * Expected answers (a miss, a refusal by policy) are values, not errors.
 */
export class BridgeError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The messages of an error and of everything that caused it, outermost first, joined by `: `. */
export function describeCauses(error: unknown): string {
  const messages: string[] = [];
  for (let at: unknown = error; at instanceof Error && messages.length < 8; at = at.cause) messages.push(at.message);
  return messages.length > 0 ? messages.join(": ") : "unknown error";
}
