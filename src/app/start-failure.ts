import { BridgeError, describeCauses } from "../lib/bridge-error.ts";
import { nextStepFor } from "./next-steps.ts";

/** Why the service did not start and what to try, as one line. */
export function describeStartFailure(error: unknown): string {
  const code = codeOf(error);
  return withNextStep(`the service did not start: ${describeCauses(error)}`, code, nextStepFor(code));
}

/** A line that ends a start, with its code (docs/errors.md has an entry of each) and what to try. */
export function withNextStep(line: string, code: string, next: string): string {
  return `${line} [${code}]; next: ${next}`;
}

function codeOf(error: unknown): string {
  return error instanceof BridgeError ? String(error.code) : "unexpected";
}
