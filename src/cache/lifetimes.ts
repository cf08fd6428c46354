import type { Clock } from "../lib/clock.ts";
import { LAST_MINUTES_MS, type Expiring, type Lifetime } from "./memory-level.ts";

export interface LifetimeOptions {
  readonly ttlMs: number;
  /** How long past its time to live a value may serve while nobody can be asked. */
  readonly maxStaleMs: number;
  /** How long memory may be used before the shared level is read again; `Infinity` without one. */
  readonly localTtlMs: number;
  readonly clock: Clock;
  /** 0 up to 1, as `Math.random`. */
  readonly random: () => number;
}

/** The times of values that come into memory. */
export interface Lifetimes {
  readonly ofMade: (value: Expiring) => Lifetime;
  /** `leftMs`: of the time to live, by the shared level. */
  readonly ofShared: (value: Expiring, leftMs: number) => Lifetime;
}

/** A tenth of a life earlier at most: instances that learnt of an entry together do not renew it together. Never later than half of it. */
const JITTER = 0.1;
/** The shared level counts in whole seconds. */
const ROUNDING_MS = 2000;

/** A value is renewed when half its life is over, which a longest outage has then the other half to pass in. */
export function createLifetimes({ ttlMs, maxStaleMs, localTtlMs, clock, random }: LifetimeOptions): Lifetimes {
  const lifetime = (leftMs: number, renewMs: number): Lifetime => ({
    renewMs: Math.max(0, renewMs - JITTER * random() * leftMs),
    freshMs: Math.min(leftMs, localTtlMs),
    usableMs: leftMs + maxStaleMs,
  });
  const beforeItsEndMs = (value: Expiring): number =>
    value.expiresAtEpochSeconds * 1000 - LAST_MINUTES_MS - clock.nowMs();

  return {
    ofMade: (value) => {
      const lifeMs = Math.min(ttlMs, beforeItsEndMs(value));
      return lifetime(lifeMs, lifeMs / 2);
    },
    ofShared: (value, leftMs) => {
      if (leftMs > ttlMs / 2) return lifetime(leftMs, leftMs - ttlMs / 2);
      // One that its own end cuts short has lived for who knows how long; any other is past its half.
      const isCutShort = beforeItsEndMs(value) < leftMs + ROUNDING_MS;
      return lifetime(leftMs, isCutShort ? leftMs / 2 : 0);
    },
  };
}
