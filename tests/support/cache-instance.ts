import type { Cache, CacheKey, Fetched, Loaded } from "../../src/cache/cache.ts";
import { createCache } from "../../src/cache/create-cache.ts";
import type { EntryCodec, UnusedKind } from "../../src/cache/entry-codec.ts";
import { createClearForm, type EntryForm } from "../../src/cache/entry-form.ts";
import type { CacheOperation } from "../../src/cache/observer.ts";
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
  /** Loads `name`; a miss makes a new thing, or does what `fetch` does. */
  readonly load: (name: string, fetch?: () => Promise<Fetched<Thing, string>>) => Promise<Loaded<Thing, string>>;
  /** As `load`, with the clock running for as long as it takes. */
  readonly loadNow: (name: string, fetch?: () => Promise<Fetched<Thing, string>>) => Promise<Loaded<Thing, string>>;
  fetches: number;
  readonly operations: CacheOperation[];
  readonly unused: UnusedKind[];
}

export function createInstance(clock: FixedClock, store?: EntryStore, form: EntryForm = createClearForm("")): Instance {
  const operations: CacheOperation[] = [];
  const unused: UnusedKind[] = [];
  let owners = 0;
  const cache = createCache<Thing, string>({
    ttlMs: TTL_MS,
    capacity: 10,
    callerVariedCapacity: 10,
    clock,
    observer: {
      operated: (one) => void operations.push(one),
      ciphered: () => undefined,
      unused: (why) => void unused.push(why),
    },
    isOutage: (error) => error instanceof Outage,
    ...(store === undefined
      ? {}
      : { shared: { store, form, localTtlMs: LOCAL_TTL_MS, newOwner: () => `${crypto.randomUUID()}-${++owners}` } }),
  });
  const make = (name: string) => (): Promise<Fetched<Thing, string>> =>
    Promise.resolve({ kind: "value", value: { name, expiresAtEpochSeconds: clock.nowMs() / 1000 + 3600 } });
  const load: Instance["load"] = (name, fetch = make(name)) => {
    const counted = (): Promise<Fetched<Thing, string>> => {
      instance.fetches += 1;
      return fetch();
    };
    return cache.load(key(name), { codec: thingCodec(name), fetch: counted });
  };
  const instance: Instance = {
    cache,
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
