import type { Clock } from "../lib/clock.ts";
import { createMemoryLevel, type Expiring } from "./memory-level.ts";
import { createRememberedAnswers } from "./remembered-answers.ts";
import { createSingleFlight } from "./single-flight.ts";

/** Where an entry lives and whose share of the memory it counts against. */
export interface CacheKey {
  readonly text: string;
  /** A key that callers can vary at will: such entries have a bounded part of the memory, so that a flood pushes out nobody else. */
  readonly callerVaried: boolean;
}

/** What came of making a value: one to keep, or an answer. A definitive one stands for a moment, any other is asked for anew. */
export type Fetched<Value, Answer> =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "answer"; readonly answer: Answer; readonly isDefinitive: boolean };

export type Loaded<Value, Answer> =
  | { readonly kind: "value"; readonly value: Value; readonly source: "memory" | "valkey" | "fetched" }
  | { readonly kind: "answer"; readonly answer: Answer };

export interface Cache<Value extends Expiring, Answer> {
  /** What memory holds and may be used now: no promise, no round trip. */
  readonly peek: (key: CacheKey) => Value | undefined;
  /** The value from the nearest level that has it, else from `fetch`, one call at a time for a key. */
  readonly load: (key: CacheKey, fetch: () => Promise<Fetched<Value, Answer>>) => Promise<Loaded<Value, Answer>>;
  /** Forgets the value everywhere. */
  readonly drop: (key: CacheKey) => void;
}

export interface MemoryCacheOptions {
  readonly ttlMs: number;
  readonly capacity: number;
  readonly callerVariedCapacity: number;
  readonly clock: Clock;
}

/** The cache of one process. Knows nothing of what it holds but when it ends. */
export function createMemoryCache<Value extends Expiring, Answer>(options: MemoryCacheOptions): Cache<Value, Answer> {
  const { ttlMs, clock } = options;
  const shared = createMemoryLevel<Value>({ capacity: options.capacity, ttlMs, clock });
  const varied = createMemoryLevel<Value>({ capacity: options.callerVariedCapacity, ttlMs, clock });
  const refusals = createRememberedAnswers<Answer>(clock);
  const flights = createSingleFlight<Loaded<Value, Answer>>();
  const levelOf = (key: CacheKey) => (key.callerVaried ? varied : shared);

  return {
    peek: (key) => levelOf(key).get(key.text),
    load: (key, fetch) => {
      const held = levelOf(key).get(key.text);
      if (held !== undefined) return Promise.resolve({ kind: "value", value: held, source: "memory" });
      const refusal = refusals.get(key.text);
      if (refusal !== undefined) return Promise.resolve({ kind: "answer", answer: refusal });
      return flights.run(key.text, async () => {
        const fetched = await fetch();
        if (fetched.kind === "answer") {
          if (fetched.isDefinitive) refusals.set(key.text, fetched.answer);
          return { kind: "answer", answer: fetched.answer };
        }
        levelOf(key).set(key.text, fetched.value);
        return { kind: "value", value: fetched.value, source: "fetched" };
      });
    },
    drop: (key) => {
      levelOf(key).delete(key.text);
      refusals.delete(key.text);
    },
  };
}
