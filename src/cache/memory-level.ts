import type { Clock } from "../lib/clock.ts";

/** A value that others have put an end to, by the wall clock. */
export interface Expiring {
  readonly expiresAtEpochSeconds: number;
}

export interface MemoryLevelOptions {
  readonly capacity: number;
  readonly ttlMs: number;
  readonly clock: Clock;
}

export interface MemoryLevel<Value extends Expiring> {
  /** The value, if it may still be used now. Makes it the most recently used. */
  readonly get: (key: string) => Value | undefined;
  /** Keeps the value for at most `ttlMs` (the level's own when absent) and never into its last five minutes. */
  readonly set: (key: string, value: Value, ttlMs?: number) => void;
  readonly delete: (key: string) => void;
  readonly size: () => number;
}

/** A job that gets a token must be able to work with it for a while. */
export const LAST_MINUTES_MS = 5 * 60 * 1000;

interface Entry<Value> {
  readonly value: Value;
  readonly usableUntilMonotonicMs: number;
}

/**
 * Values in this process, least recently used out first. An entry ends by whichever clock says so first, so that neither a wall clock
 * that was set back nor a suspended machine serves an expired value.
 */
export function createMemoryLevel<Value extends Expiring>({
  capacity,
  ttlMs,
  clock,
}: MemoryLevelOptions): MemoryLevel<Value> {
  const entries = new Map<string, Entry<Value>>();

  const isUsable = ({ value, usableUntilMonotonicMs }: Entry<Value>): boolean =>
    clock.monotonicMs() < usableUntilMonotonicMs &&
    clock.nowMs() < value.expiresAtEpochSeconds * 1000 - LAST_MINUTES_MS;

  return {
    get: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (!isUsable(entry)) return undefined;
      // A Map iterates in order of insertion: the first key is the least recently used.
      entries.set(key, entry);
      return entry.value;
    },
    set: (key, value, entryTtlMs = ttlMs) => {
      entries.delete(key);
      const oldest = entries.size >= capacity ? entries.keys().next() : undefined;
      if (oldest?.done === false) entries.delete(oldest.value);
      entries.set(key, { value, usableUntilMonotonicMs: clock.monotonicMs() + entryTtlMs });
    },
    delete: (key) => void entries.delete(key),
    size: () => entries.size,
  };
}
