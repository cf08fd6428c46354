/**
 * Which values have been taken back before their end. Asked of each value that is read or made; a value in memory is asked about once,
 * by `Cache.purge`, so that a hit there costs nothing.
 */
export interface Purges<Value> {
  /** Depends on key and value alone, so that every instance judges alike, and never becomes false again while a value could be used. */
  readonly isPurged: (key: string, value: Value) => boolean;
  /** Told of every purged value that comes to hand, some more than once. Must not throw. */
  readonly found: (key: string, value: Value) => void;
}

/** Nothing is ever taken back. */
export const NO_PURGES: Purges<unknown> = { isPurged: () => false, found: () => undefined };
