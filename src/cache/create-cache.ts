import type { Clock } from "../lib/clock.ts";
import type { Cache, CacheKey, Loaded } from "./cache.ts";
import type { EntryForm } from "./entry-form.ts";
import type { EntryStore } from "./entry-store.ts";
import { createMemoryLevel, type Expiring } from "./memory-level.ts";
import type { CacheObserver } from "./observer.ts";
import { createRefill, type RefillOptions } from "./refill.ts";
import { createRememberedAnswers } from "./remembered-answers.ts";
import { createSharedLevel, type SharedLevel } from "./shared-level.ts";
import { createSingleFlight } from "./single-flight.ts";
import { createTakeTurn } from "./turn.ts";

export interface CacheOptions {
  readonly ttlMs: number;
  readonly capacity: number;
  readonly callerVariedCapacity: number;
  readonly clock: Clock;
  readonly observer: CacheObserver;
  /**
   * Whether a failed fetch means that nobody could be asked. What memory holds then serves on within its time to live; after any other
   * failure it must go.
   */
  readonly isOutage: (error: unknown) => boolean;
  /** Absent: this process keeps to itself. */
  readonly shared?: SharedOptions;
}

export interface SharedOptions {
  readonly store: EntryStore;
  readonly form: EntryForm;
  /** How long an entry may be used from memory before it is read again. */
  readonly localTtlMs: number;
  /** Unique and unguessable, each time. */
  readonly newOwner: () => string;
}

/** Memory, in front of a level that instances share where there is one. Knows nothing of what it holds but when it ends. */
export function createCache<Value extends Expiring, Answer>(options: CacheOptions): Cache<Value, Answer> {
  const { clock, observer, shared, ttlMs } = options;
  const memory = createMemoryLevel<Value>(options.capacity, clock);
  const varied = createMemoryLevel<Value>(options.callerVariedCapacity, clock);
  const flights = createSingleFlight<Loaded<Value, Answer>>();
  const refusals = createRememberedAnswers<Answer>(clock);
  const level = shared && createSharedLevel<Value>({ ...shared, ttlMs, clock, observer });
  const refill = createRefill<Value, Answer>({
    ttlMs,
    observer,
    isOutage: options.isOutage,
    refusals,
    ...(shared && level ? { shared: connectRefill(shared, level, clock) } : {}),
  });
  const levelOf = (key: CacheKey) => (key.callerVaried ? varied : memory);

  const look = (key: CacheKey): Value | undefined => {
    const value = levelOf(key).get(key.text);
    if (value !== undefined) observer.operated(MEMORY_HIT);
    return value;
  };

  return {
    peek: look,
    load: (key, source) => {
      const value = look(key);
      if (value !== undefined) return Promise.resolve({ kind: "value", value, source: "memory" });
      observer.operated(MEMORY_MISS);
      const refusal = refusals.get(key.text);
      if (refusal !== undefined) return Promise.resolve({ kind: "answer", answer: refusal });
      return flights.run(key.text, (flight) => refill(key.text, levelOf(key), source, flight));
    },
    drop: async (key) => {
      flights.forget(key.text);
      refusals.delete(key.text);
      levelOf(key).delete(key.text);
      observer.operated(MEMORY_DROP);
      await level?.remove(key.text);
    },
  };
}

function connectRefill<Value extends Expiring>(
  { store, form, localTtlMs, newOwner }: SharedOptions,
  level: SharedLevel<Value>,
  clock: Clock,
): NonNullable<RefillOptions<Value, never>["shared"]> {
  const takeTurn = createTakeTurn<Value>({ store, form, clock, newOwner });
  return { level, takeTurn, localTtlMs, newBudget: () => store.budget() };
}

const MEMORY_HIT = { level: "memory", operation: "get", status: "hit" } as const;
const MEMORY_MISS = { level: "memory", operation: "get", status: "miss" } as const;
const MEMORY_DROP = { level: "memory", operation: "invalidate", status: "success" } as const;
