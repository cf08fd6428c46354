import type { Clock } from "../lib/clock.ts";
import type { Left } from "./pacing.ts";
import type { Quota } from "./rate-headers.ts";

/** Replies of one window may name its end a few seconds apart. */
const SAME_WINDOW_MS = 5_000;

/** What is left of an hour's calls by what GitHub said last, less the calls that are under way. */
export interface QuotaWindow {
  /** True when a new window begins. */
  readonly note: (quota: Quota) => boolean;
  /** Undefined while GitHub has not said, and after the window's end. */
  readonly left: () => (Left & { readonly limit: number }) | undefined;
  /** Counts a call before GitHub does. */
  readonly count: () => void;
  /** The call was not made after all. */
  readonly uncount: () => void;
}

export function createQuotaWindow(clock: Clock): QuotaWindow {
  let known: { readonly limit: number; remaining: number; readonly endsAtMs: number } | undefined;

  const change = (by: number): void => {
    const now = current();
    if (now !== undefined) now.remaining += by;
  };
  const current = (): typeof known => {
    if (known !== undefined && clock.monotonicMs() >= known.endsAtMs) known = undefined;
    return known;
  };

  return {
    note: ({ limit, remaining, resetsInSeconds }) => {
      const endsAtMs = clock.monotonicMs() + resetsInSeconds * 1000;
      const before = current();
      const isSame = before !== undefined && Math.abs(before.endsAtMs - endsAtMs) < SAME_WINDOW_MS;
      // Replies can overtake each other, and calls under way are counted already.
      known = { limit, remaining: isSame ? Math.min(before.remaining, remaining) : remaining, endsAtMs };
      return !isSame;
    },
    left: () => {
      const now = current();
      if (now === undefined) return undefined;
      return { limit: now.limit, remaining: now.remaining, untilResetMs: now.endsAtMs - clock.monotonicMs() };
    },
    count: () => change(-1),
    uncount: () => change(1),
  };
}
