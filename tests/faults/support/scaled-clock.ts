import type { Clock } from "../../../src/lib/clock.ts";

/** A clock that runs `scale` times as fast as the real one, and can be set. */
export interface ScaledClock extends Clock {
  readonly scale: number;
  /** Time passes at once, on both clocks; what was scheduled for it becomes due. */
  readonly jump: (byMs: number) => void;
  /** Sets the wall clock alone, as an operator or NTP does. */
  readonly jumpWall: (byMs: number) => void;
}

interface Scheduled {
  readonly dueMs: number;
  readonly run: () => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** As `setTimeout` takes it. */
const LONGEST_MS = 2 ** 31 - 1;

export function createScaledClock(scale: number): ScaledClock {
  const startedMs = performance.now();
  const wallStartMs = Date.now();
  // Not zero, so that nobody mistakes monotonic time for an epoch or for "never".
  let jumpedMs = 1_000_000;
  let wallJumpedMs = 0;
  const scheduled = new Set<Scheduled>();
  const elapsedMs = (): number => (performance.now() - startedMs) * scale + jumpedMs;

  const arm = (entry: Scheduled): void => {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(
      () => {
        if (elapsedMs() < entry.dueMs) return arm(entry);
        scheduled.delete(entry);
        entry.run();
      },
      Math.min(LONGEST_MS, Math.max(0, Math.ceil((entry.dueMs - elapsedMs()) / scale))),
    );
    entry.timer.unref();
  };

  return {
    scale,
    monotonicMs: elapsedMs,
    nowMs: () => wallStartMs + elapsedMs() - 1_000_000 + wallJumpedMs,
    after: (delayMs, run) => {
      const entry: Scheduled = { dueMs: elapsedMs() + Math.max(0, delayMs), run, timer: undefined };
      scheduled.add(entry);
      arm(entry);
      return () => {
        clearTimeout(entry.timer);
        scheduled.delete(entry);
      };
    },
    jump: (byMs) => {
      jumpedMs += byMs;
      for (const entry of [...scheduled].sort((left, right) => left.dueMs - right.dueMs)) arm(entry);
    },
    jumpWall: (byMs) => {
      wallJumpedMs += byMs;
    },
  };
}
