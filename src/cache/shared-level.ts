import type { Clock } from "../lib/clock.ts";
import { isBrokenForEver, type EntryCodec, type UnusedKind } from "./entry-codec.ts";
import type { EntryForm } from "./entry-form.ts";
import type { EntryStore, StoreBudget } from "./entry-store.ts";
import { LAST_MINUTES_MS, type Expiring } from "./memory-level.ts";
import type { CacheObserver, CacheOperation } from "./observer.ts";
import type { Purges } from "./purges.ts";

export type SharedRead<Value> =
  | { readonly kind: "hit"; readonly value: Value; readonly ttlMs: number }
  /** `unused`: there is an entry, and it is not for use; a broken one is gone by now. */
  | { readonly kind: "miss"; readonly unused?: UnusedKind }
  | { readonly kind: "unavailable" };

/** Values that several instances share, each checked against the request that asks for it. No method rejects. */
export interface SharedLevel<Value> {
  /** `ttlMs` is what the store says, at most our own. */
  readonly read: (key: string, codec: EntryCodec<Value>, budget: StoreBudget) => Promise<SharedRead<Value>>;
  readonly write: (key: string, codec: EntryCodec<Value>, value: Value) => Promise<void>;
  readonly remove: (key: string) => Promise<void>;
}

export interface SharedLevelOptions<Value> {
  readonly store: EntryStore;
  readonly form: EntryForm;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly observer: Pick<CacheObserver, "operated">;
  readonly purges: Purges<Value>;
}

export function createSharedLevel<Value extends Expiring>(options: SharedLevelOptions<Value>): SharedLevel<Value> {
  const { store, form, ttlMs, clock, observer, purges } = options;

  const observed = async <Result>(
    operation: CacheOperation["operation"],
    work: () => Promise<Result>,
    statusOf: (result: Result) => CacheOperation["status"],
  ): Promise<Result> => {
    const startedMs = clock.monotonicMs();
    const result = await work();
    observer.operated({
      level: "valkey",
      operation,
      status: statusOf(result),
      durationMs: clock.monotonicMs() - startedMs,
    });
    return result;
  };

  const notUsed = async (key: string, why: UnusedKind, budget: StoreBudget): Promise<SharedRead<Value>> => {
    // Waited for, so that it cannot overtake the entry that comes in its place.
    if (isBrokenForEver(why)) await store.remove(form.storageKey(key), budget);
    return { kind: "miss", unused: why };
  };

  const read: SharedLevel<Value>["read"] = async (key, codec, budget) => {
    const found = await store.read(form.storageKey(key), budget);
    if (found.kind === "wrong-type") return notUsed(key, "wrong-type", budget);
    if (found.kind !== "hit") return found.kind === "miss" ? { kind: "miss" } : { kind: "unavailable" };
    const opened = form.open(key, found.value);
    if (opened.kind === "unused") return notUsed(key, opened.why, budget);
    const decoded = codec.decode(opened.text);
    if (decoded.kind === "unused") return notUsed(key, decoded.why, budget);
    if (purges.isPurged(key, decoded.value)) {
      purges.found(key, decoded.value);
      return notUsed(key, "purged", budget);
    }
    return { kind: "hit", value: decoded.value, ttlMs: Math.min(found.ttlMs ?? ttlMs, ttlMs) };
  };

  const write = async (key: string, codec: EntryCodec<Value>, value: Value): Promise<boolean> => {
    const leftMs = value.expiresAtEpochSeconds * 1000 - LAST_MINUTES_MS - clock.nowMs();
    const ttlSeconds = Math.floor(Math.min(ttlMs, leftMs) / 1000);
    if (ttlSeconds < 1) return true;
    try {
      return await store.write(form.storageKey(key), form.seal(key, codec.encode(value)), ttlSeconds);
    } catch {
      // Sealing failed, which the observer has been told. The value serves from memory.
      return false;
    }
  };

  return {
    read: (key, codec, budget) => observed("get", () => read(key, codec, budget), statusOfRead),
    write: async (key, codec, value) => void (await observed("set", () => write(key, codec, value), statusOfChange)),
    remove: async (key) =>
      void (await observed("invalidate", () => store.remove(form.storageKey(key)), statusOfChange)),
  };
}

function statusOfRead({ kind }: SharedRead<unknown>): CacheOperation["status"] {
  return kind === "unavailable" ? "error" : kind;
}

function statusOfChange(done: boolean): CacheOperation["status"] {
  return done ? "success" : "error";
}
