import type { Timing } from "./timing.ts";

/** How long to wait before an attempt, `failures` in a row having failed: doubling up to a bound, the upper half of it random. */
export function backOffMs(failures: number, timing: Timing, random: () => number): number {
  const fullMs = Math.min(timing.backOffLongestMs, timing.backOffFirstMs * 2 ** Math.min(failures, 30));
  // The first is shorter: a connection that was cut is usually accepted again at once, and commands are waiting.
  return failures === 0 ? random() * 0.5 * fullMs : (0.5 + 0.5 * random()) * fullMs;
}
