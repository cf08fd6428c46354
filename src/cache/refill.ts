import type { Fetched, Loaded, Source } from "./cache.ts";
import type { UnusedKind } from "./entry-codec.ts";
import type { StoreBudget } from "./entry-store.ts";
import type { Expiring, MemoryLevel } from "./memory-level.ts";
import type { CacheObserver } from "./observer.ts";
import type { RememberedAnswers } from "./remembered-answers.ts";
import type { SharedLevel, SharedRead } from "./shared-level.ts";
import type { Flight } from "./single-flight.ts";
import type { TakeTurn } from "./turn.ts";

/** While nobody can be asked, a request that finds its value due asks again after this time at the earliest. */
const SERVE_ON_MS = 10_000;

export interface RefillOptions<Value, Answer> {
  readonly ttlMs: number;
  readonly observer: CacheObserver;
  readonly isOutage: (error: unknown) => boolean;
  readonly refusals: RememberedAnswers<Answer>;
  /** Absent: there is no shared level, and what memory holds need not be read again. */
  readonly shared?: {
    readonly level: SharedLevel<Value>;
    readonly takeTurn: TakeTurn<Value>;
    readonly newBudget: () => StoreBudget;
    readonly localTtlMs: number;
  };
}

/** What is to be had for a key that memory cannot answer; `memory` gets it. One at a time for a key. */
export type Refill<Value extends Expiring, Answer> = (
  key: string,
  memory: MemoryLevel<Value>,
  source: Source<Value, Answer>,
  flight: Flight,
) => Promise<Loaded<Value, Answer>>;

/**
 * The shared level first, then one instance's turn to fetch. A value in memory that is due serves on when neither has another; what
 * comes instead of it, a refusal included, puts an end to it.
 */
export function createRefill<Value extends Expiring, Answer>(
  options: RefillOptions<Value, Answer>,
): Refill<Value, Answer> {
  return (key, memory, source, flight) => new Errand(options, key, memory, source, flight).run();
}

/** One key's way to a value. */
class Errand<Value extends Expiring, Answer> {
  readonly #options: RefillOptions<Value, Answer>;
  readonly #key: string;
  readonly #memory: MemoryLevel<Value>;
  readonly #source: Source<Value, Answer>;
  readonly #flight: Flight;
  #unused: UnusedKind | undefined;

  constructor(
    options: RefillOptions<Value, Answer>,
    key: string,
    memory: MemoryLevel<Value>,
    source: Source<Value, Answer>,
    flight: Flight,
  ) {
    this.#options = options;
    this.#key = key;
    this.#memory = memory;
    this.#source = source;
    this.#flight = flight;
  }

  async run(): Promise<Loaded<Value, Answer>> {
    const { shared } = this.#options;
    if (shared === undefined) return this.#fetch(nothing);
    const budget = shared.newBudget();
    const look = async (): Promise<SharedRead<Value>> =>
      this.#report(await shared.level.read(this.#key, this.#source.codec, budget));
    const read = await look();
    if (read.kind === "hit") return this.#found(read);
    if (read.kind === "unavailable") return this.#fetch(nothing);
    const turn = await shared.takeTurn(this.#key, look, budget);
    return turn.kind === "found" ? this.#found(turn.read) : this.#fetch(turn.done);
  }

  /** An entry that is not used is told once, however often it is looked at while another instance fetches. */
  #report(read: SharedRead<Value>): SharedRead<Value> {
    if (read.kind === "miss" && read.unused !== undefined && read.unused !== this.#unused) {
      this.#unused = read.unused;
      this.#options.observer.unused(read.unused);
    }
    return read;
  }

  #found(read: Extract<SharedRead<Value>, { readonly kind: "hit" }>): Loaded<Value, Answer> {
    this.#keep(read.value, read.ttlMs);
    return { kind: "value", value: read.value, source: "valkey" };
  }

  async #fetch(done: () => Promise<void>): Promise<Loaded<Value, Answer>> {
    const fetched = await this.#ask().catch((error: unknown) => {
      void done();
      return this.#serveOn(error);
    });
    switch (fetched.kind) {
      case "held":
        return { kind: "value", value: fetched.value, source: "memory" };
      case "value":
        this.#keep(fetched.value, this.#options.ttlMs);
        // In the background: the reply does not wait for it.
        void this.#share(fetched.value).then(done);
        return { kind: "value", value: fetched.value, source: "fetched" };
      case "answer":
        void done();
        this.#end();
        if (fetched.isDefinitive && !this.#flight.isForgotten()) this.#options.refusals.set(this.#key, fetched.answer);
        return { kind: "answer", answer: fetched.answer };
    }
  }

  /** Also what is thrown before there is a promise is a rejection. */
  async #ask(): Promise<Fetched<Value, Answer>> {
    return this.#source.fetch();
  }

  #keep(value: Value, ttlMs: number): void {
    if (this.#flight.isForgotten()) return;
    this.#memory.set(this.#key, value, { ttlMs, freshMs: this.#options.shared?.localTtlMs ?? Infinity });
    this.#options.observer.operated(MEMORY_SET);
  }

  async #share(value: Value): Promise<void> {
    if (!this.#flight.isForgotten()) await this.#options.shared?.level.write(this.#key, this.#source.codec, value);
  }

  #serveOn(error: unknown): { readonly kind: "held"; readonly value: Value } {
    const held = this.#memory.getDue(this.#key);
    if (held === undefined || this.#flight.isForgotten()) throw error;
    if (!this.#options.isOutage(error)) {
      this.#end();
      throw error;
    }
    this.#memory.refresh(this.#key, Math.min(this.#options.shared?.localTtlMs ?? Infinity, SERVE_ON_MS));
    return { kind: "held", value: held };
  }

  /** What was held may not serve any more, here or elsewhere. */
  #end(): void {
    if (this.#memory.getDue(this.#key) === undefined || this.#flight.isForgotten()) return;
    this.#memory.delete(this.#key);
    this.#options.observer.operated(MEMORY_DROP);
    void this.#options.shared?.level.remove(this.#key);
  }
}

function nothing(): Promise<void> {
  return Promise.resolve();
}

const MEMORY_SET = { level: "memory", operation: "set", status: "success" } as const;
const MEMORY_DROP = { level: "memory", operation: "invalidate", status: "success" } as const;
