import type { Clock } from "../../src/lib/clock.ts";

/** A clock that stands still until a test moves it. */
export interface FixedClock extends Clock {
  /**
   * Moves both clocks on and runs every call that falls due on the way, in order of its time, each seeing the clock at that time.
   * Calls scheduled meanwhile run too when they fall due. Does not wait for promises that the calls started.
   */
  readonly advance: (byMs: number) => void;
  /** As `advance`, with a turn of the event loop after every call, so that what it started can schedule its next one. */
  readonly advanceAndSettle: (byMs: number) => Promise<void>;
  /** Sets the wall clock alone, as an operator or NTP does. Monotonic time and scheduled calls stay as they are. */
  readonly setWall: (nowMs: number) => void;
  /** How many calls are scheduled and not yet run or cancelled. */
  readonly pending: () => number;
}

/** Where a fixed clock stands unless told otherwise: 2026-01-12T23:00:00Z. */
export const FIXED_START_MS = Date.UTC(2026, 0, 12, 23, 0, 0);

interface Scheduled {
  readonly dueMs: number;
  readonly run: () => void;
}

export function createFixedClock(startMs: number = FIXED_START_MS): FixedClock {
  let wallMs = startMs;
  // Not zero, so that nobody mistakes monotonic time for an epoch or for "never".
  let monotonicMs = 1_000_000;
  const scheduled = new Set<Scheduled>();

  const moveTo = (targetMs: number): void => {
    wallMs += targetMs - monotonicMs;
    monotonicMs = targetMs;
  };
  const runNext = (untilMs: number): boolean => {
    const next = earliest(scheduled);
    if (next === undefined || next.dueMs > untilMs) return false;
    scheduled.delete(next);
    moveTo(Math.max(monotonicMs, next.dueMs));
    next.run();
    return true;
  };

  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    after: (delayMs, run) => {
      const entry: Scheduled = { dueMs: monotonicMs + Math.max(0, delayMs), run };
      scheduled.add(entry);
      return () => void scheduled.delete(entry);
    },
    advance: (byMs) => {
      const untilMs = monotonicMs + byMs;
      while (runNext(untilMs));
      moveTo(untilMs);
    },
    advanceAndSettle: async (byMs) => {
      const untilMs = monotonicMs + byMs;
      await turn();
      while (runNext(untilMs)) await turn();
      moveTo(untilMs);
      await turn();
    },
    setWall: (nowMs) => {
      wallMs = nowMs;
    },
    pending: () => scheduled.size,
  };
}

/** Of equal times the one scheduled first: a Set keeps insertion order. */
function earliest(scheduled: ReadonlySet<Scheduled>): Scheduled | undefined {
  let found: Scheduled | undefined;
  for (const entry of scheduled) if (found === undefined || entry.dueMs < found.dueMs) found = entry;
  return found;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
