import type { Clock } from "../lib/clock.ts";
import { RecencyMap, type Place } from "./recency-map.ts";

/** A value that others have put an end to, by the wall clock. */
export interface Expiring {
  readonly expiresAtEpochSeconds: number;
}

/** From now: when a value is to be renewed, for how long it may be used without looking elsewhere, and for how long at all. */
export interface Lifetime {
  readonly renewMs: number;
  readonly freshMs: number;
  readonly usableMs: number;
}

/** A value in memory with its times, by the monotonic clock. */
export interface Held<Value> {
  readonly value: Value;
  readonly usableUntilMs: number;
  freshUntilMs: number;
  /** From here on a use of the value is to have it renewed. Whoever tries moves it on. */
  renewFromMs: number;
  /** The last try to get another one ended with an outage. */
  isFailing: boolean;
}

export interface MemoryLevel<Value extends Expiring> {
  /** The value, if it may be used now without looking elsewhere. Makes it the most recently used. */
  readonly get: (key: string, nowMonotonicMs: number) => Held<Value> | undefined;
  /** The value, if it may be used at all. */
  readonly getDue: (key: string) => Held<Value> | undefined;
  /** Keeps the value for its lifetime and never into its last five minutes. */
  readonly set: (key: string, value: Value, lifetime: Lifetime) => void;
  /** While nobody can be asked: lets what is there be used for so long at least without looking elsewhere. Its end stays where it is. */
  readonly serveOn: (key: string, freshMs: number) => void;
  readonly delete: (key: string) => void;
  /** Deletes and returns all that `isTaken` says. */
  readonly take: (isTaken: (key: string, value: Value) => boolean) => readonly Kept<Value>[];
  readonly size: () => number;
}

export interface Kept<Value> {
  readonly key: string;
  readonly value: Value;
}

/** A job that gets a token must be able to work with it for a while. */
export const LAST_MINUTES_MS = 5 * 60 * 1000;

/**
 * Values in this process, least recently used out first. An entry ends by whichever clock says so first, so that neither a wall clock
 * that was set back nor a suspended machine serves an expired value.
 */
export function createMemoryLevel<Value extends Expiring>(capacity: number, clock: Clock): MemoryLevel<Value> {
  const entries = new RecencyMap<Held<Value>>();

  const find = (key: string, nowMonotonicMs: number): Place<Held<Value>> | undefined => {
    const place = entries.find(key);
    if (place === undefined) return undefined;
    const { usableUntilMs, value } = place.value;
    const isUsable =
      nowMonotonicMs < usableUntilMs && clock.nowMs() < value.expiresAtEpochSeconds * 1000 - LAST_MINUTES_MS;
    if (isUsable) return place;
    entries.delete(key);
    return undefined;
  };

  return {
    get: (key, nowMonotonicMs) => {
      const place = find(key, nowMonotonicMs);
      if (place === undefined || nowMonotonicMs >= place.value.freshUntilMs) return undefined;
      entries.use(place);
      return place.value;
    },
    getDue: (key) => find(key, clock.monotonicMs())?.value,
    set: (key, value, { renewMs, freshMs, usableMs }) => {
      entries.delete(key);
      const { oldest } = entries;
      if (oldest !== undefined && entries.size >= capacity) entries.delete(oldest.key);
      const nowMs = clock.monotonicMs();
      entries.set(key, {
        value,
        usableUntilMs: nowMs + usableMs,
        freshUntilMs: nowMs + freshMs,
        renewFromMs: nowMs + renewMs,
        isFailing: false,
      });
    },
    serveOn: (key, freshMs) => {
      const nowMs = clock.monotonicMs();
      const entry = find(key, nowMs)?.value;
      if (entry === undefined) return;
      entry.isFailing = true;
      entry.freshUntilMs = Math.max(entry.freshUntilMs, nowMs + freshMs);
    },
    delete: (key) => entries.delete(key),
    take: (isTaken) => {
      const taken: Kept<Value>[] = [];
      for (const { key, value: held } of entries.values()) {
        const { value } = held;
        if (!isTaken(key, value)) continue;
        entries.delete(key);
        taken.push({ key, value });
      }
      return taken;
    },
    size: () => entries.size,
  };
}
