import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createClearForm } from "../../src/cache/entry-form.ts";
import type { EntryStore } from "../../src/cache/entry-store.ts";
import { createPurgeLedger } from "../../src/purge/ledger.ts";
import { guardReads } from "../../src/purge/guarded-store.ts";
import { MARKER_KEY, parseMarker, renderMarker, type Purge } from "../../src/purge/marker.ts";
import { orderPurge } from "../../src/purge/order-purge.ts";
import { covers, type PurgeScope } from "../../src/purge/purge-scope.ts";
import { createPurgeWatch } from "../../src/purge/watch.ts";
import { cacheKey, readCacheKey } from "../../src/vending/cache-key.ts";
import { callerScopeOf, canonicalProfile } from "../../src/vending/canonical-profile.ts";
import { authorizedRequest } from "../support/authorized-requests.ts";
import { createInstanceWith, type Thing } from "../support/cache-instance.ts";
import { createFixedClock } from "../support/fixed-clock.ts";
import { createMemoryEntryStore, type MemoryEntryStore } from "../support/memory-entry-store.ts";

const RUNS = { numRuns: 300 };

describe("readCacheKey()", () => {
  test("tells of every key what the request was for", () => {
    fc.assert(
      fc.property(authorizedRequest, fc.constantFrom("github.com", "ghe.example.com:8443"), (request, host) => {
        const { profile, identity, app, target } = request;
        expect(readCacheKey(cacheKey(request, host).text)).toEqual({
          appId: app.appId,
          installationId: app.installationId,
          profileKind: profile.kind,
          profileName: profile.name,
          pipelineId: profile.kind === "pipeline" ? identity.pipelineId : undefined,
          urn: canonicalProfile(identity, profile, callerScopeOf(target)?.toLowerCase()),
        });
      }),
      RUNS,
    );
  });

  test("never throws, and what it cannot tell is in every scope", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `1:2:profile://organization/${text}`),
        ),
        (text) => {
          const origin = readCacheKey(text);
          if (origin === undefined) expect(covers({ kind: "pipeline", pipelineId: "x" }, origin)).toBeTrue();
        },
      ),
      RUNS,
    );
  });
});

const word = fc.string({ minLength: 1, maxLength: 20 });
const scope: fc.Arbitrary<PurgeScope> = fc.oneof(
  fc.constant({ kind: "all" } as const),
  word.map((name) => ({ kind: "profile", name }) as const),
  fc
    .tuple(word, fc.constantFrom("pipeline", "organization"))
    .map(([name, profileKind]) => ({ kind: "profile", name, profileKind }) as const),
  word.map((pipelineId) => ({ kind: "pipeline", pipelineId }) as const),
  fc
    .tuple(fc.integer({ min: 1 }), fc.integer({ min: 1 }))
    .map(([appId, installationId]) => ({ kind: "app", appId, installationId }) as const),
);
const purge: fc.Arbitrary<Purge> = fc.record({
  id: fc.uuid(),
  scope,
  issuedBeforeEpochSeconds: fc.nat({ max: 4_000_000_000 }),
});

describe("a marker", () => {
  test("reads as what was written, whatever it was", () => {
    fc.assert(
      fc.property(fc.array(purge, { maxLength: 100 }), (purges) => {
        expect(parseMarker(renderMarker(purges))).toEqual(purges);
      }),
      RUNS,
    );
  });

  test("of whatever text never throws, and is none when a character of it is cut off", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => expect(parseMarker(text)).toBeUndefined()),
      RUNS,
    );
    fc.assert(
      fc.property(fc.array(purge, { maxLength: 3 }), fc.nat(), (purges, at) => {
        const text = renderMarker(purges);
        expect(parseMarker(text.slice(0, at % text.length))).toBeUndefined();
      }),
      RUNS,
    );
  });
});

const NAMES = ["a", "b", "c"];
const name = fc.constantFrom(...NAMES);
const who = fc.nat({ max: 1 });

type Step =
  | { readonly kind: "load"; readonly who: number; readonly name: string }
  | { readonly kind: "purge"; readonly name: string | undefined }
  | { readonly kind: "put back"; readonly which: number }
  | { readonly kind: "put marker back"; readonly which: number }
  | { readonly kind: "delete marker" }
  | { readonly kind: "restart"; readonly who: number }
  | { readonly kind: "cut off" | "reconnect"; readonly who: number }
  | { readonly kind: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("load" as const), who, name }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("purge" as const), name: fc.option(name, { nil: undefined }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("put back" as const), which: fc.nat() }) },
  fc.record({ kind: fc.constant("put marker back" as const), which: fc.nat() }),
  fc.constant({ kind: "delete marker" } as const),
  fc.record({ kind: fc.constant("restart" as const), who }),
  fc.record({ kind: fc.constantFrom("cut off" as const, "reconnect" as const), who }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(400, 10_000, 31_000, 400_000) }),
  },
);

/** An instance as `app/` puts it together, over a store in memory; `knows` is what it has noticed. */
function startInstance(clock: ReturnType<typeof createFixedClock>, shared: MemoryEntryStore) {
  const origin = (key: string) =>
    ({
      appId: 1,
      installationId: 1,
      profileKind: "organization",
      profileName: key,
      pipelineId: undefined,
      urn: key,
    }) as const;
  // It comes up before it reaches the store.
  const line = { isUp: false };
  const away = { kind: "unavailable" } as const;
  const store: EntryStore = {
    ...shared,
    read: (key, budget) => (line.isUp ? shared.read(key, budget) : Promise.resolve(away)),
    write: (...args) => (line.isUp ? shared.write(...args) : Promise.resolve(false)),
    claim: (...args) => (line.isUp ? shared.claim(...args) : Promise.resolve("unavailable")),
  };
  const ledger = createPurgeLedger(origin, clock);
  const knows: Purge[] = [];
  let drop = (): number => 0;
  const watch = createPurgeWatch({
    store,
    form: createClearForm(""),
    ledger,
    clock,
    observer: {
      noticed: (purges) => {
        knows.push(...purges);
        drop();
      },
      unreadable: () => undefined,
    },
  });
  const purges = {
    isPurged: (key: string, thing: Thing) => ledger.isPurged(key, issued(thing)),
    found: () => undefined,
  };
  const instance = createInstanceWith(clock, { store: guardReads(store, watch), purges });
  drop = () => instance.cache.purge();
  watch.start();
  line.isUp = true;
  return {
    instance,
    watch,
    knows,
    line,
    covers: (one: Purge, key: string) => covers(one.scope, origin(key)),
  };
}

function issued({ expiresAtEpochSeconds }: Thing): number {
  return expiresAtEpochSeconds - 3600;
}

/** One run: what happens to two instances and their store, step by step. */
class Run {
  readonly #clock = createFixedClock();
  readonly #store = createMemoryEntryStore(this.#clock);
  readonly #instances = [startInstance(this.#clock, this.#store), startInstance(this.#clock, this.#store)];
  readonly #entries: (readonly [string, string])[] = [];
  readonly #markers: string[] = [];
  #markerSinceMs = this.#clock.monotonicMs();
  /** Instances that started after the marker became what it is. */
  readonly #late = new Set<number>();
  /** Instances that were without the store at some time since. */
  readonly #cutOff = new Set<number>();

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case "wait":
        return this.#clock.advanceAndSettle(one.ms);
      case "put back": {
        const entry = this.#entries[one.which % this.#entries.length];
        if (entry !== undefined) this.#store.put(...entry);
        return;
      }
      case "put marker back": {
        const marker = this.#markers[one.which % this.#markers.length];
        if (marker !== undefined) this.#store.put(MARKER_KEY, marker);
        this.#markerChanged();
        return;
      }
      case "delete marker":
        this.#store.delete(MARKER_KEY);
        this.#markerChanged();
        return;
      case "restart":
        return this.#restart(one.who);
      case "cut off":
      case "reconnect": {
        const at = this.#instances[one.who];
        if (at !== undefined) at.line.isUp = one.kind === "reconnect";
        this.#cutOff.add(one.who);
        return;
      }
      case "purge":
        return this.#purge(one.name === undefined ? { kind: "all" } : { kind: "profile", name: one.name });
      case "load":
        return this.#load(one);
    }
  }

  async #restart(index: number): Promise<void> {
    this.#instances[index]?.watch[Symbol.dispose]();
    this.#instances[index] = startInstance(this.#clock, this.#store);
    await this.#clock.advanceAndSettle(0);
    this.#late.add(index);
  }

  async #purge(asked: PurgeScope): Promise<void> {
    const made = { id: crypto.randomUUID(), scope: asked, issuedBeforeEpochSeconds: this.#nowSeconds() + 1 };
    const options = { store: this.#store, form: createClearForm(""), clock: this.#clock, owner: crypto.randomUUID() };
    const ordering = orderPurge(made, options);
    await this.#clock.advanceAndSettle(0);
    expect((await ordering).kind).toBe("ordered");
    this.#markers.push(this.#store.text(MARKER_KEY) ?? "");
    this.#markerChanged();
  }

  #markerChanged(): void {
    this.#markerSinceMs = this.#clock.monotonicMs();
    this.#late.clear();
    this.#cutOff.clear();
    for (const [index, { line }] of this.#instances.entries()) if (!line.isUp) this.#cutOff.add(index);
  }

  async #load({ who: index, name: asked }: Extract<Step, { readonly kind: "load" }>): Promise<void> {
    const at = this.#instances[index];
    if (at === undefined) throw new Error("there are two");
    const loaded = await at.instance.loadNow(asked);
    if (loaded.kind !== "value") throw new Error("things are values");
    const text = this.#store.text(asked);
    if (text !== undefined) this.#entries.push([asked, text]);
    // What was made for this very request is no older than it.
    if (loaded.source === "fetched") return;
    const due = this.#mustBeKnownTo(index, loaded.source);
    const broken = [...at.knows, ...due].filter(
      (known) => at.covers(known, asked) && issued(loaded.value) < known.issuedBeforeEpochSeconds,
    );
    expect(broken).toEqual([]);
  }

  /**
   * The marker as it has been for ten seconds. An instance without the store does not notice; but it takes nothing from the store after that
   * before it has looked, when 30 seconds have passed or it has just started.
   */
  #mustBeKnownTo(index: number, source: "memory" | "valkey"): readonly Purge[] {
    const sinceMs = this.#clock.monotonicMs() - this.#markerSinceMs;
    const isDue =
      (sinceMs >= 10_000 && !this.#cutOff.has(index)) ||
      (source === "valkey" && (sinceMs >= 30_000 || this.#late.has(index)));
    return isDue ? (parseMarker(this.#store.text(MARKER_KEY) ?? "") ?? []) : [];
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.nowMs() / 1000);
  }
}

// Whoever can write to the store puts old entries and old markers back, or deletes the marker; instances come and go.
test("two instances serve nothing, from memory or the store, that a purge took back which they know of or must have noticed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const run = new Run();
      for (const one of steps) await run.take(one);
    }),
    { numRuns: 300 },
  );
});
