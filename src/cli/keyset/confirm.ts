import type { CommandIo, Invocation } from "../command.ts";
import { CommandFailure, UsageError } from "../failure.ts";

/**
 * Asks on a terminal before what cannot be undone; `--yes` and `--dry-run` need no answer. Without a terminal `--yes` is required.
 * Throws when the answer is not yes.
 */
export async function confirm(question: string, invocation: Invocation, { ask }: CommandIo): Promise<void> {
  if (invocation.flag("yes") || invocation.flag("dry-run")) return;
  const answer = await ask(`${question} [y/N] `);
  if (answer === undefined)
    throw new UsageError("this cannot be undone, and there is no terminal to ask on", "give --yes");
  if (!/^y(?:es)?$/i.test(answer.trim())) {
    throw new CommandFailure("not confirmed: nothing was written", {
      code: "not-confirmed",
      advice: "run it again and answer y, or give --yes",
    });
  }
}
