import type { Fetched, Loaded, Source } from "./cache.ts";
import type { UnusedKind } from "./entry-codec.ts";
import type { StoreBudget } from "./entry-store.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { Expiring, Lifetime, MemoryLevel } from "./memory-level.ts";
import type { CacheObserver } from "./observer.ts";
import type { Purges } from "./purges.ts";
import type { RememberedAnswers } from "./remembered-answers.ts";
import type { SharedLevel, SharedRead } from "./shared-level.ts";
import type { Flight } from "./single-flight.ts";
import type { TakeTurn } from "./turn.ts";

/** While nobody can be asked, a request that finds its value due has it asked for again after this time at the earliest. */
export const SERVE_ON_MS = 4_000;

export interface RefillOptions<Value, Answer> {
  readonly lifetimes: Lifetimes;
  readonly observer: CacheObserver;
  readonly isOutage: (error: unknown) => boolean;
  readonly refusals: RememberedAnswers<Answer>;
  readonly purges: Purges<Value>;
  /** Absent: there is no shared level, and what memory holds need not be read again. */
  readonly shared?: {
    readonly level: SharedLevel<Value>;
    readonly takeTurn: TakeTurn<Value>;
    readonly newBudget: () => StoreBudget;
  };
}

/** What is wanted for a key. */
export interface Want<Value extends Expiring, Answer> {
  readonly key: string;
  /** Gets what comes of it. */
  readonly memory: MemoryLevel<Value>;
  readonly source: Source<Value, Answer>;
  /** `later`: memory has a value that still serves, and only a newer one is of use. */
  readonly when: "now" | "later";
  /** Whether nobody gets what is made: it is announced then before it is kept. */
  readonly isUnattended: (value: Value) => boolean;
}

/** What is to be had for a key: its value, or why there is none. One at a time for a key. */
export type Refill<Value extends Expiring, Answer> = (
  want: Want<Value, Answer>,
  flight: Flight,
) => Promise<Loaded<Value, Answer>>;

/**
 * The shared level first, then one instance's turn to fetch. A value in memory that is due serves on when neither has another; what
 * comes instead of it, a refusal included, puts an end to it.
 */
export function createRefill<Value extends Expiring, Answer>(
  options: RefillOptions<Value, Answer>,
): Refill<Value, Answer> {
  return (want, flight) => new Errand(options, want, flight).run();
}

/** One key's way to a value. */
class Errand<Value extends Expiring, Answer> {
  readonly #options: RefillOptions<Value, Answer>;
  readonly #want: Want<Value, Answer>;
  readonly #flight: Flight;
  /** Of what memory held at the start, for one that is renewed. */
  readonly #heldUntilEpochSeconds: number | undefined;
  #unused: UnusedKind | undefined;

  constructor(options: RefillOptions<Value, Answer>, want: Want<Value, Answer>, flight: Flight) {
    this.#options = options;
    this.#want = want;
    this.#flight = flight;
    this.#heldUntilEpochSeconds =
      want.when === "later" ? want.memory.getDue(want.key)?.value.expiresAtEpochSeconds : undefined;
  }

  async run(): Promise<Loaded<Value, Answer>> {
    const { shared } = this.#options;
    if (shared === undefined) return this.#fetch(nothing);
    const { key, source } = this.#want;
    const budget = shared.newBudget();
    const look = async (): Promise<SharedRead<Value>> =>
      this.#report(await shared.level.read(key, source.codec, budget));
    const read = await look();
    if (read.kind === "hit") return this.#found(read);
    if (read.kind === "unavailable") return this.#fetch(nothing);
    const turn = await shared.takeTurn(key, look, budget);
    return turn.kind === "found" ? this.#found(turn.read) : this.#fetch(turn.done);
  }

  /** An entry that is not used is told once, however often it is looked at while another instance fetches. */
  #report(read: SharedRead<Value>): SharedRead<Value> {
    if (read.kind === "hit") return this.#isNews(read.value) ? read : { kind: "miss" };
    if (read.kind === "miss" && read.unused !== undefined && read.unused !== this.#unused) {
      this.#unused = read.unused;
      this.#options.observer.unused(read.unused);
    }
    return read;
  }

  #isNews({ expiresAtEpochSeconds }: Value): boolean {
    return this.#heldUntilEpochSeconds === undefined || expiresAtEpochSeconds > this.#heldUntilEpochSeconds;
  }

  #found({ value, ttlMs }: Extract<SharedRead<Value>, { readonly kind: "hit" }>): Loaded<Value, Answer> {
    this.#keep(value, this.#options.lifetimes.ofShared(value, ttlMs));
    return { kind: "value", value, source: "valkey" };
  }

  async #fetch(done: () => Promise<void>): Promise<Loaded<Value, Answer>> {
    const fetched = await this.#make().catch((error: unknown) => {
      void done();
      return this.#serveOn(error);
    });
    switch (fetched.kind) {
      case "held":
        return { kind: "value", value: fetched.value, source: "memory" };
      case "value":
        this.#keep(fetched.value, this.#options.lifetimes.ofMade(fetched.value));
        // In the background: the reply does not wait for it.
        void this.#share(fetched.value).then(done);
        return { kind: "value", value: fetched.value, source: "fetched" };
      case "answer":
        void done();
        this.#end();
        if (fetched.isDefinitive && !this.#flight.isForgotten())
          this.#options.refusals.set(this.#want.key, fetched.answer);
        return { kind: "answer", answer: fetched.answer };
    }
  }

  /** Also what is thrown before there is a promise is a rejection. */
  async #make(): Promise<Fetched<Value, Answer>> {
    const { source, isUnattended } = this.#want;
    const fetched = await source.fetch();
    if (fetched.kind === "value" && isUnattended(fetched.value)) await source.announce?.(fetched.value);
    return fetched;
  }

  #keep(value: Value, lifetime: Lifetime): void {
    if (!this.#mayKeep(value)) return;
    this.#want.memory.set(this.#want.key, value, lifetime);
    this.#options.observer.operated(MEMORY_SET);
  }

  /** A value made just now and dated before a purge, because clocks differ, serves whoever waits for it and nobody else. */
  #mayKeep(value: Value): boolean {
    return !this.#flight.isForgotten() && !this.#options.purges.isPurged(this.#want.key, value);
  }

  async #share(value: Value): Promise<void> {
    const { key, source } = this.#want;
    if (this.#mayKeep(value)) await this.#options.shared?.level.write(key, source.codec, value);
  }

  #serveOn(error: unknown): { readonly kind: "held"; readonly value: Value } {
    const { key, memory } = this.#want;
    const isOutage = this.#options.isOutage(error);
    if (!isOutage) this.#end();
    const held = memory.getDue(key);
    if (!isOutage || held === undefined || this.#flight.isForgotten()) throw error;
    memory.serveOn(key, SERVE_ON_MS);
    return { kind: "held", value: held.value };
  }

  /** What was held may not serve any more, here or elsewhere. */
  #end(): void {
    const { key, memory, when } = this.#want;
    // What is renewed may be out of memory by now, and must go from the shared level all the same.
    const isHeld = when === "later" || memory.getDue(key) !== undefined;
    if (!isHeld || this.#flight.isForgotten()) return;
    memory.delete(key);
    this.#options.observer.operated(MEMORY_DROP);
    void this.#options.shared?.level.remove(key);
  }
}

function nothing(): Promise<void> {
  return Promise.resolve();
}

const MEMORY_SET = { level: "memory", operation: "set", status: "success" } as const;
const MEMORY_DROP = { level: "memory", operation: "invalidate", status: "success" } as const;
