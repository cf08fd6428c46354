import type { Clock } from "../lib/clock.ts";
import type { Left } from "./pacing.ts";
import type { Quota } from "./rate-headers.ts";

/** Replies of one window may name its end a few seconds apart. */
const SAME_WINDOW_MS = 5_000;

/**
 * What is left of an hour's calls by what GitHub said last, less the calls that are under way. A call that is over counts for nothing: if
 * GitHub has counted it, GitHub says so, and one that never came to GitHub was not counted by anybody.
 */
export interface QuotaWindow {
  /** True when a new window begins. */
  readonly note: (quota: Quota) => boolean;
  /** Undefined while GitHub has not said, and after the window's end. */
  readonly left: () => (Left & { readonly limit: number }) | undefined;
  /** A call begins, which GitHub will count. */
  readonly begin: () => void;
  readonly end: () => void;
}

export function createQuotaWindow(clock: Clock): QuotaWindow {
  let known: { readonly limit: number; readonly remaining: number; readonly endsAtMs: number } | undefined;
  let underWay = 0;

  const current = (): typeof known => {
    if (known !== undefined && clock.monotonicMs() >= known.endsAtMs) known = undefined;
    return known;
  };

  return {
    note: ({ limit, remaining, resetsInSeconds }) => {
      const endsAtMs = clock.monotonicMs() + resetsInSeconds * 1000;
      const before = current();
      const isSame = before !== undefined && Math.abs(before.endsAtMs - endsAtMs) < SAME_WINDOW_MS;
      // Replies can overtake each other.
      known = { limit, remaining: isSame ? Math.min(before.remaining, remaining) : remaining, endsAtMs };
      return !isSame;
    },
    left: () => {
      const now = current();
      if (now === undefined) return undefined;
      const untilResetMs = now.endsAtMs - clock.monotonicMs();
      return { limit: now.limit, remaining: Math.max(0, now.remaining - underWay), untilResetMs };
    },
    begin: () => void (underWay += 1),
    end: () => void (underWay -= 1),
  };
}
