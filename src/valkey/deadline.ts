import type { Clock } from "../lib/clock.ts";

/**
 * The work's outcome, or undefined when it has none within `limitMs`. The work itself goes on; a late failure of it is
 * swallowed.
 *
 * When the time is up, one more turn of the event loop is granted: if it was this process that stood still, the answer
 * already lies in the socket, and a stall of ours must not count against the server.
 */
export async function withinMs<Value>(clock: Clock, limitMs: number, work: Promise<Value>): Promise<Value | undefined> {
  let cancel = (): void => undefined;
  const expired = new Promise<undefined>((resolve) => {
    cancel = clock.after(limitMs, () => {
      cancel = clock.after(0, () => resolve(undefined));
    });
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    cancel();
    work.catch(() => undefined);
  }
}
