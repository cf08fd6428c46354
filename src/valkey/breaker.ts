import type { Clock } from "../lib/clock.ts";

/** Strikes in near succession after which a server is left out. */
const STRIKES = 3;

/** Many commands wait for one stalled answer: their strikes within this time are one. */
const ONE_STRIKE_MS = 40;

/** Judges a server by how fast it answers: open means that it is left out. Closing it again is the caller's business. */
export interface Breaker {
  readonly open: boolean;
  /** Records that an answer took this long. Returns whether that opened the breaker. */
  answered(tookMs: number): boolean;
  /** Records that nothing came for this long. Returns whether that opened the breaker. */
  unanswered(waitedMs: number): boolean;
  /** Opens it at once. Returns whether it was closed. */
  trip(): boolean;
  reset(): void;
}

export function createBreaker(clock: Clock, slowMs: number): Breaker {
  let strikes = 0;
  let lastStrikeMs = -Infinity;
  let open = false;

  const trip = (): boolean => {
    const opened = !open;
    open = true;
    return opened;
  };
  const strike = (): boolean => {
    const nowMs = clock.monotonicMs();
    if (nowMs - lastStrikeMs < ONE_STRIKE_MS) return false;
    lastStrikeMs = nowMs;
    strikes += 1;
    return strikes >= STRIKES && trip();
  };
  return {
    get open() {
      return open;
    },
    answered: (tookMs) => {
      if (tookMs >= slowMs) return strike();
      strikes /= 2;
      return false;
    },
    // A command with little time left says nothing about the server.
    unanswered: (waitedMs) => waitedMs >= slowMs && strike(),
    trip,
    reset: () => {
      strikes = 0;
      open = false;
    },
  };
}
