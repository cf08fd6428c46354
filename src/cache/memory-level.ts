import type { Clock } from "../lib/clock.ts";

/** A value that others have put an end to, by the wall clock. */
export interface Expiring {
  readonly expiresAtEpochSeconds: number;
}

/** For how long from now a value may be used, and for how long without looking for it elsewhere. */
export interface Lifetime {
  readonly ttlMs: number;
  readonly freshMs: number;
}

export interface MemoryLevel<Value extends Expiring> {
  /** The value, if it may be used now without looking elsewhere. Makes it the most recently used. */
  readonly get: (key: string) => Value | undefined;
  /** The value, if it may be used at all. */
  readonly getDue: (key: string) => Value | undefined;
  /** Keeps the value for its lifetime and never into its last five minutes. */
  readonly set: (key: string, value: Value, lifetime: Lifetime) => void;
  /** Lets what is there be used for so long without looking elsewhere; its end stays where it is. */
  readonly refresh: (key: string, freshMs: number) => void;
  readonly delete: (key: string) => void;
  readonly size: () => number;
}

/** A job that gets a token must be able to work with it for a while. */
export const LAST_MINUTES_MS = 5 * 60 * 1000;

interface Entry<Value> {
  readonly value: Value;
  readonly usableUntilMonotonicMs: number;
  readonly freshUntilMonotonicMs: number;
}

/**
 * Values in this process, least recently used out first. An entry ends by whichever clock says so first, so that neither a wall clock
 * that was set back nor a suspended machine serves an expired value.
 */
export function createMemoryLevel<Value extends Expiring>(capacity: number, clock: Clock): MemoryLevel<Value> {
  const entries = new Map<string, Entry<Value>>();

  const find = (key: string): Entry<Value> | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    const isUsable =
      clock.monotonicMs() < entry.usableUntilMonotonicMs &&
      clock.nowMs() < entry.value.expiresAtEpochSeconds * 1000 - LAST_MINUTES_MS;
    if (isUsable) return entry;
    entries.delete(key);
    return undefined;
  };

  return {
    get: (key) => {
      const entry = find(key);
      if (entry === undefined || clock.monotonicMs() >= entry.freshUntilMonotonicMs) return undefined;
      // A Map iterates in order of insertion: the first key is the least recently used.
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    getDue: (key) => find(key)?.value,
    set: (key, value, { ttlMs, freshMs }) => {
      entries.delete(key);
      const oldest = entries.size >= capacity ? entries.keys().next() : undefined;
      if (oldest?.done === false) entries.delete(oldest.value);
      const nowMs = clock.monotonicMs();
      entries.set(key, { value, usableUntilMonotonicMs: nowMs + ttlMs, freshUntilMonotonicMs: nowMs + freshMs });
    },
    refresh: (key, freshMs) => {
      const entry = find(key);
      if (entry !== undefined) entries.set(key, { ...entry, freshUntilMonotonicMs: clock.monotonicMs() + freshMs });
    },
    delete: (key) => void entries.delete(key),
    size: () => entries.size,
  };
}
