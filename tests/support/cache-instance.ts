import type { Cache, CacheKey, Fetched, Loaded, Source } from "../../src/cache/cache.ts";
import { createCache } from "../../src/cache/create-cache.ts";
import type { EntryCodec, UnusedKind } from "../../src/cache/entry-codec.ts";
import { createClearForm, type EntryForm } from "../../src/cache/entry-form.ts";
import type { CacheOperation, RenewalOutcome } from "../../src/cache/observer.ts";
import type { EntryStore } from "../../src/cache/entry-store.ts";
import type { FixedClock } from "./fixed-clock.ts";

/** A value that names what it was made for. */
export interface Thing {
  readonly name: string;
  readonly expiresAtEpochSeconds: number;
}

/** Fails as an upstream that cannot be reached does. */
export class Outage extends Error {}

export const TTL_MS = 45 * 60_000;
export const LOCAL_TTL_MS = 5 * 60_000;

export const key = (text: string): CacheKey => ({ text, callerVaried: false });

/** Things as JSON, for a request that wants this name. */
export function thingCodec(name: string): EntryCodec<Thing> {
  return {
    encode: (thing) => JSON.stringify(thing),
    decode: (text) => {
      let parsed: Thing;
      try {
        parsed = JSON.parse(text);
      } catch {
        return { kind: "unused", why: "broken-json" };
      }
      return parsed.name === name ? { kind: "value", value: parsed } : { kind: "unused", why: "another-request" };
    },
  };
}

/** One process of a fleet, with what it did. */
export interface Instance {
  readonly cache: Cache<Thing, string>;
  /** What memory may serve now; renewed by making a new thing, or by what `renew` does, when it is due. */
  readonly peek: (name: string, renew?: () => Promise<Fetched<Thing, string>>) => Thing | undefined;
  /** Loads `name`; a miss makes a new thing, or does what `fetch` does. */
  readonly load: (name: string, fetch?: () => Promise<Fetched<Thing, string>>) => Promise<Loaded<Thing, string>>;
  /** As `load`, with the clock running for as long as it takes. */
  readonly loadNow: (name: string, fetch?: () => Promise<Fetched<Thing, string>>) => Promise<Loaded<Thing, string>>;
  fetches: number;
  /** Names of things that were announced before they were kept. */
  readonly announced: string[];
  readonly renewals: RenewalOutcome[];
  /** Whether renewals are allowed. */
  mayRenew: boolean;
  readonly operations: CacheOperation[];
  readonly unused: UnusedKind[];
}

export interface InstanceOptions {
  readonly store?: EntryStore;
  readonly form?: EntryForm;
  readonly maxStaleMs?: number;
  readonly capacity?: number;
}

export function createInstance(clock: FixedClock, store?: EntryStore, form: EntryForm = createClearForm("")): Instance {
  return createInstanceWith(clock, { form, ...(store === undefined ? {} : { store }) });
}

/** Without jitter, so that times are exact. Values do not serve past their time to live unless `maxStaleMs` says so. */
export function createInstanceWith(
  clock: FixedClock,
  { store, form = createClearForm(""), maxStaleMs = 0, capacity = 10 }: InstanceOptions,
): Instance {
  const operations: CacheOperation[] = [];
  const unused: UnusedKind[] = [];
  let owners = 0;
  const cache = createCache<Thing, string>({
    ttlMs: TTL_MS,
    maxStaleMs,
    random: () => 0,
    capacity,
    callerVariedCapacity: capacity,
    clock,
    observer: {
      operated: (one) => void operations.push(one),
      ciphered: () => undefined,
      unused: (why) => void unused.push(why),
      renewal: (outcome) => void instance.renewals.push(outcome),
    },
    isOutage: (error) => error instanceof Outage,
    ...(store === undefined
      ? {}
      : { shared: { store, form, localTtlMs: LOCAL_TTL_MS, newOwner: () => `${crypto.randomUUID()}-${++owners}` } }),
  });
  const make = (name: string) => (): Promise<Fetched<Thing, string>> =>
    Promise.resolve({ kind: "value", value: { name, expiresAtEpochSeconds: clock.nowMs() / 1000 + 3600 } });
  const sourceOf = (name: string, fetch: () => Promise<Fetched<Thing, string>>): Source<Thing, string> => ({
    codec: thingCodec(name),
    fetch: () => {
      instance.fetches += 1;
      return fetch();
    },
    announce: async (thing) => {
      // Not there yet: it is announced before it is kept.
      if (cache.peek(key(name), undefined, () => undefined) === thing) throw new Error("kept before it was announced");
      instance.announced.push(thing.name);
    },
    renewal: () => (instance.mayRenew ? sourceOf(name, fetch) : undefined),
  });
  const load: Instance["load"] = (name, fetch = make(name)) => cache.load(key(name), sourceOf(name, fetch));
  const instance: Instance = {
    cache,
    peek: (name, renew = make(name)) => cache.peek(key(name), name, () => sourceOf(name, renew).renewal?.()),
    announced: [],
    renewals: [],
    mayRenew: true,
    load,
    loadNow: async (name, fetch) => {
      const loading = load(name, fetch);
      loading.catch(() => undefined);
      await clock.advanceAndSettle(0);
      return loading;
    },
    fetches: 0,
    operations,
    unused,
  };
  return instance;
}
