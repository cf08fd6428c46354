import type { Clock } from "../lib/clock.ts";
import type { Cache, Loaded } from "./cache.ts";
import type { EntryForm } from "./entry-form.ts";
import type { EntryStore } from "./entry-store.ts";
import { createLifetimes } from "./lifetimes.ts";
import { createMemoryLevel, type Expiring } from "./memory-level.ts";
import type { CacheObserver } from "./observer.ts";
import { createRefill, type RefillOptions } from "./refill.ts";
import { createRememberedAnswers } from "./remembered-answers.ts";
import { createRenewals } from "./renewals.ts";
import { createSharedLevel, type SharedLevel } from "./shared-level.ts";
import { createSingleFlight } from "./single-flight.ts";
import { createTakeTurn } from "./turn.ts";
import { TwoLevelCache } from "./two-level-cache.ts";

export interface CacheOptions {
  readonly ttlMs: number;
  /** How long past its time to live a value may serve while nobody can be asked. */
  readonly maxStaleMs: number;
  readonly capacity: number;
  readonly callerVariedCapacity: number;
  readonly clock: Clock;
  /** 0 up to 1, as `Math.random`. */
  readonly random: () => number;
  readonly observer: CacheObserver;
  /** Whether a failed fetch means that nobody could be asked. What memory holds then serves on; after any other failure it must go. */
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
  const { clock, random, observer, isOutage, shared, ttlMs, maxStaleMs } = options;
  const memory = createMemoryLevel<Value>(options.capacity, clock);
  const varied = createMemoryLevel<Value>(options.callerVariedCapacity, clock);
  const refusals = createRememberedAnswers<Answer>(clock);
  const level = shared && createSharedLevel<Value>({ ...shared, ttlMs, clock, observer });
  const localTtlMs = shared?.localTtlMs ?? Infinity;
  const refill = createRefill<Value, Answer>({
    lifetimes: createLifetimes({ ttlMs, maxStaleMs, localTtlMs, clock, random }),
    observer,
    isOutage,
    refusals,
    ...(shared && level ? { shared: connectRefill(shared, level, clock) } : {}),
  });
  return new TwoLevelCache<Value, Answer>({
    levelOf: (key) => (key.callerVaried ? varied : memory),
    shared: level,
    refill,
    flights: createSingleFlight<Loaded<Value, Answer>>(),
    refusals,
    renewals: createRenewals(clock),
    clock,
    random,
    observer,
  });
}

function connectRefill<Value extends Expiring>(
  { store, form, newOwner }: SharedOptions,
  level: SharedLevel<Value>,
  clock: Clock,
): NonNullable<RefillOptions<Value, never>["shared"]> {
  const takeTurn = createTakeTurn<Value>({ store, form, clock, newOwner });
  return { level, takeTurn, newBudget: () => store.budget() };
}
