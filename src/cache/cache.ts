import type { EntryCodec } from "./entry-codec.ts";
import type { Expiring } from "./memory-level.ts";

/** Where an entry lives and whose share of the memory it counts against. */
export interface CacheKey {
  /** Never ends in `:claim`. */
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

/** How a value is had that is missing, or due. */
export interface Source<Value, Answer> {
  readonly codec: EntryCodec<Value>;
  readonly fetch: () => Promise<Fetched<Value, Answer>>;
  /** Waited for before a value is kept that nobody waited for; one that cannot be announced is not kept. */
  readonly announce?: (value: Value) => Promise<void>;
  /** Whether whoever asked does not get this value, because they have gone since or it is not for them: it is announced then as well. */
  readonly isUnwanted?: (value: Value) => boolean;
  /** How to have it in the background; undefined: not at all, or not now. */
  readonly renewal?: () => Source<Value, Answer> | undefined;
}

export interface Cache<Value extends Expiring, Answer> {
  /**
   * What memory holds and may be used now: no promise, no round trip. When half the value's life is over, it is renewed in the background
   * by what `renewalOf(request)` gives; undefined: not now.
   */
  readonly peek: <Request>(
    key: CacheKey,
    request: Request,
    renewalOf: (request: Request) => Source<Value, Answer> | undefined,
  ) => Value | undefined;
  /**
   * The value from the nearest level that has it, else from `source`, one call at a time for a key. Rejects as `source.fetch` does, unless
   * memory has a value that may serve on.
   */
  readonly load: (key: CacheKey, source: Source<Value, Answer>) => Promise<Loaded<Value, Answer>>;
  /** Forgets the value: here at once, in the shared level when the promise resolves, if it can be reached. Never rejects. */
  readonly drop: (key: CacheKey) => Promise<void>;
  /** Puts an end here to all that has been taken back, calls under way included. Returns how many values memory lost. */
  readonly purge: () => number;
}
