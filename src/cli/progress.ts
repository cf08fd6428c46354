import type { Clock } from "../lib/clock.ts";
import type { TextOutput } from "./command.ts";

const PATIENCE_MS = 1000;
const ERASE_LINE = "\r\u001B[2K";

/** Does `work`; when that takes more than a second, a terminal shows `what` and the seconds so far until it is done. */
export async function withProgress<T>(
  what: string,
  { err, clock }: { readonly err: TextOutput; readonly clock: Clock },
  work: () => Promise<T>,
): Promise<T> {
  if (!err.isTerminal) return work();
  const startedMs = clock.monotonicMs();
  let shown = false;
  let cancel = (): void => undefined;
  const arm = (): void => {
    cancel = clock.after(PATIENCE_MS, () => {
      shown = true;
      void err.write(`${ERASE_LINE}${what}… ${Math.floor((clock.monotonicMs() - startedMs) / 1000)} s`).catch(() => 0);
      arm();
    });
  };
  arm();
  try {
    return await work();
  } finally {
    cancel();
    if (shown) await err.write(ERASE_LINE);
  }
}
