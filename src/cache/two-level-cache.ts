import type { Clock } from "../lib/clock.ts";
import type { Cache, CacheKey, Loaded, Source } from "./cache.ts";
import type { Expiring, Held, MemoryLevel } from "./memory-level.ts";
import type { CacheObserver, RenewalOutcome } from "./observer.ts";
import type { Purges } from "./purges.ts";
import { SERVE_ON_MS, type Refill } from "./refill.ts";
import type { RememberedAnswers } from "./remembered-answers.ts";
import type { Renewals } from "./renewals.ts";
import type { SharedLevel } from "./shared-level.ts";
import type { SingleFlight } from "./single-flight.ts";

/**
 * A request that finds its value due waits so long for another one while what memory holds could serve on: GitHub makes a token in a few
 * hundred milliseconds, and an upstream that hangs hangs for ten seconds.
 */
const PATIENCE_MS = 2_000;
/** Between the tries to renew a value, at most; half of it at least. */
const RENEW_AGAIN_MS = 4_000;

export interface TwoLevelCacheParts<Value extends Expiring, Answer> {
  /** All that `levelOf` gives. */
  readonly levels: readonly MemoryLevel<Value>[];
  readonly levelOf: (key: CacheKey) => MemoryLevel<Value>;
  /** Absent: this process keeps to itself. */
  readonly shared: SharedLevel<Value> | undefined;
  readonly refill: Refill<Value, Answer>;
  readonly flights: SingleFlight<Loaded<Value, Answer>>;
  readonly purges: Purges<Value>;
  readonly refusals: RememberedAnswers<Answer>;
  readonly renewals: Renewals;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: CacheObserver;
}

/** Decides who waits for what: memory serves at once what it may, due values are made anew in the background or within our patience. */
export class TwoLevelCache<Value extends Expiring, Answer> implements Cache<Value, Answer> {
  readonly #parts: TwoLevelCacheParts<Value, Answer>;

  constructor(parts: TwoLevelCacheParts<Value, Answer>) {
    this.#parts = parts;
  }

  peek<Request>(
    key: CacheKey,
    request: Request,
    renewalOf: (request: Request) => Source<Value, Answer> | undefined,
  ): Value | undefined {
    const { clock, levelOf, observer } = this.#parts;
    const nowMs = clock.monotonicMs();
    const held = levelOf(key).get(key.text, nowMs);
    if (held === undefined) return undefined;
    observer.operated(MEMORY_HIT);
    if (nowMs >= held.renewFromMs) this.#renew(key, held, request, renewalOf);
    return held.value;
  }

  load(key: CacheKey, source: Source<Value, Answer>): Promise<Loaded<Value, Answer>> {
    const { clock, levelOf, observer, refusals } = this.#parts;
    const memory = levelOf(key);
    const fresh = memory.get(key.text, clock.monotonicMs());
    observer.operated(fresh === undefined ? MEMORY_MISS : MEMORY_HIT);
    if (fresh !== undefined) return Promise.resolve(fromMemory(fresh.value));
    const refusal = refusals.get(key.text);
    if (refusal !== undefined) return Promise.resolve({ kind: "answer", answer: refusal });
    const due = memory.getDue(key.text);
    if (due === undefined) return this.#fill(key, source, (value) => source.isUnwanted?.(value) === true);
    if (!due.isFailing) return this.#hurry(key, due, source);
    // Known to be out of reach: nobody is made to wait to learn it once more.
    memory.serveOn(key.text, SERVE_ON_MS);
    this.#renew(key, due, source, renewalOfSource);
    return Promise.resolve(fromMemory(due.value));
  }

  async drop(key: CacheKey): Promise<void> {
    const { flights, refusals, levelOf, observer, shared } = this.#parts;
    flights.forget(key.text);
    refusals.delete(key.text);
    levelOf(key).delete(key.text);
    observer.operated(MEMORY_DROP);
    await shared?.remove(key.text);
  }

  purge(): number {
    const { flights, levels, purges } = this.#parts;
    flights.forgetAll();
    const taken = levels.flatMap((level) => level.take(purges.isPurged));
    for (const { key, value } of taken) purges.found(key, value);
    return taken.length;
  }

  #fill(
    key: CacheKey,
    source: Source<Value, Answer>,
    isUnattended: (value: Value) => boolean,
  ): Promise<Loaded<Value, Answer>> {
    const { flights, levelOf, refill } = this.#parts;
    const want = { key: key.text, memory: levelOf(key), source, when: "now", isUnattended } as const;
    return flights.run(key.text, (flight) => refill(want, flight));
  }

  /** What comes within our patience, else what memory holds. */
  async #hurry(key: CacheKey, held: Held<Value>, source: Source<Value, Answer>): Promise<Loaded<Value, Answer>> {
    const { clock, levelOf } = this.#parts;
    let isOver = false;
    const patience = Promise.withResolvers<undefined>();
    const loading = this.#fill(key, source, (value) => isOver || source.isUnwanted?.(value) === true);
    const cancel = clock.after(PATIENCE_MS, () => patience.resolve(undefined));
    const loaded = await Promise.race([loading, patience.promise]).finally(cancel);
    // Dropped or replaced meanwhile: only what is on its way is of use.
    if (loaded !== undefined || levelOf(key).getDue(key.text) !== held) return loaded ?? loading;
    isOver = true;
    levelOf(key).serveOn(key.text, SERVE_ON_MS);
    return fromMemory(held.value);
  }

  #renew<Request>(
    key: CacheKey,
    held: Held<Value>,
    request: Request,
    renewalOf: (request: Request) => Source<Value, Answer> | undefined,
  ): void {
    const { clock, random, levelOf, renewals, refill, flights, observer } = this.#parts;
    held.renewFromMs = clock.monotonicMs() + RENEW_AGAIN_MS * (0.5 + random() / 2);
    if (flights.isRunning(key.text) || !renewals.hasRoom()) return;
    const source = renewalOf(request);
    if (source === undefined) return;
    const want = { key: key.text, memory: levelOf(key), source, when: "later", isUnattended: always } as const;
    const renewal = flights.run(key.text, (flight) => refill(want, flight));
    renewals.begin(renewal);
    renewal.then(
      (loaded) => observer.renewal?.(outcomeOf(loaded)),
      () => observer.renewal?.("failed"),
    );
  }
}

function renewalOfSource<Value, Answer>({ renewal }: Source<Value, Answer>): Source<Value, Answer> | undefined {
  return renewal?.();
}

function fromMemory<Value>(value: Value): Loaded<Value, never> {
  return { kind: "value", value, source: "memory" };
}

function outcomeOf(loaded: Loaded<unknown, unknown>): RenewalOutcome {
  if (loaded.kind === "answer") return "refused";
  switch (loaded.source) {
    case "fetched":
      return "renewed";
    case "valkey":
      return "adopted";
    case "memory":
      return "outage";
  }
}

function always(): boolean {
  return true;
}

const MEMORY_HIT = { level: "memory", operation: "get", status: "hit" } as const;
const MEMORY_MISS = { level: "memory", operation: "get", status: "miss" } as const;
const MEMORY_DROP = { level: "memory", operation: "invalidate", status: "success" } as const;
