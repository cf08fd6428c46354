import type { Clock } from "../lib/clock.ts";

/** So many at once, so that an upstream that hangs holds few connections for what nobody waits for. */
const AT_ONCE = 8;
/** A second, and as many at once after a pause: far below what GitHub calls too many, for all its installations together. */
const PER_SECOND = 4;

/** Bounds renewals in number and rate. There is no queue: whoever finds no room leaves it to the next one who uses the value. */
export interface Renewals {
  readonly hasRoom: () => boolean;
  /** Counts the renewal until it settles. Never rejects. */
  readonly begin: (renewal: Promise<unknown>) => void;
}

export function createRenewals(clock: Clock): Renewals {
  let running = 0;
  let allowance = PER_SECOND;
  let countedAtMs = clock.monotonicMs();

  const ended = (): void => {
    running -= 1;
  };
  const refill = (): void => {
    const nowMs = clock.monotonicMs();
    allowance = Math.min(PER_SECOND, allowance + ((nowMs - countedAtMs) / 1000) * PER_SECOND);
    countedAtMs = nowMs;
  };

  return {
    hasRoom: () => {
      refill();
      return running < AT_ONCE && allowance >= 1;
    },
    begin: (renewal) => {
      running += 1;
      allowance -= 1;
      renewal.then(ended, ended);
    },
  };
}
