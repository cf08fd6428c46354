import { BridgeError } from "./bridge-error.ts";

/** A caller has used up what one may have of a thing that all share. Nothing was asked of anybody, and nothing is known against it. */
export class OverBudget extends BridgeError<"over-budget"> {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super("over-budget", message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
