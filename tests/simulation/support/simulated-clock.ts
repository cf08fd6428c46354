import type { Clock } from "../../../src/lib/clock.ts";

/** Time that moves when it is told to. One monotonic clock for all; who asks for a clock gets a wall clock of one's own. */
export interface SimulatedClock extends Clock {
  /** The same time, by a wall clock that is off by so much. */
  readonly skewed: (byMs: number) => Clock;
  /** When the next scheduled call is due. */
  readonly nextDueMs: () => number;
  /** Moves on; nothing is run. */
  readonly moveTo: (monotonicMs: number) => void;
  /** Runs the calls that are due, in order, each once: one that schedules itself again waits for the next time. */
  readonly runDue: () => boolean;
}

interface Scheduled {
  readonly dueMs: number;
  readonly run: () => void;
}

const START_WALL_MS = Date.UTC(2026, 0, 12, 23, 0, 0);
const START_MONOTONIC_MS = 1_000_000;

export function createSimulatedClock(): SimulatedClock {
  let nowMs = START_MONOTONIC_MS;
  const scheduled = new Set<Scheduled>();

  const skewed = (byMs: number): Clock => ({
    nowMs: () => START_WALL_MS + byMs + nowMs - START_MONOTONIC_MS,
    monotonicMs: () => nowMs,
    after: (delayMs, run) => {
      const entry = { dueMs: nowMs + Math.max(0, delayMs), run };
      scheduled.add(entry);
      return () => void scheduled.delete(entry);
    },
  });
  return {
    ...skewed(0),
    skewed,
    nextDueMs: () => {
      let next = Infinity;
      for (const { dueMs } of scheduled) if (dueMs < next) next = dueMs;
      return next;
    },
    moveTo: (monotonicMs) => {
      nowMs = Math.max(nowMs, monotonicMs);
    },
    runDue: () => {
      const due = [...scheduled].filter(({ dueMs }) => dueMs <= nowMs).sort((one, other) => one.dueMs - other.dueMs);
      for (const entry of due) if (scheduled.delete(entry)) entry.run();
      return due.length > 0;
    },
  };
}
