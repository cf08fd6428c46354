import type { EntryStore, StoreBudget } from "../../src/cache/entry-store.ts";
import type { Clock } from "../../src/lib/clock.ts";

/** A shared store in memory, by the clock of the test. What it holds can be looked at and tampered with. */
export interface MemoryEntryStore extends EntryStore {
  readonly values: ReadonlyMap<string, { readonly value: Uint8Array; readonly untilMs: number }>;
  /** Every command so far, as `read KEY`. */
  readonly commands: string[];
  readonly text: (key: string) => string | undefined;
  /** Without a time to live it never expires. */
  readonly put: (key: string, value: string | Uint8Array, ttlMs?: number) => void;
  readonly delete: (key: string) => void;
  readonly putList: (key: string) => void;
  /** From now on: does not answer; answers after so long. */
  down: boolean;
  latencyMs: number;
}

export function createMemoryEntryStore(clock: Clock): MemoryEntryStore {
  const values = new Map<string, { value: Uint8Array; untilMs: number }>();
  const lists = new Set<string>();
  const commands: string[] = [];

  const held = (key: string): { value: Uint8Array; untilMs: number } | undefined => {
    const entry = values.get(key);
    if (entry === undefined || clock.monotonicMs() < entry.untilMs) return entry;
    values.delete(key);
    return undefined;
  };
  const budget = (): StoreBudget => ({ leftMs: 250 });
  /** Undefined: no answer within the budget. */
  const answer = async <T>(command: string, spent: StoreBudget, run: () => T): Promise<T | undefined> => {
    commands.push(command);
    if (store.down || spent.leftMs <= 0) return undefined;
    const tookMs = Math.min(store.latencyMs, spent.leftMs);
    if (tookMs > 0) await new Promise<void>((resolve) => void clock.after(tookMs, resolve));
    spent.leftMs -= tookMs;
    return tookMs < store.latencyMs ? undefined : run();
  };

  const store: MemoryEntryStore = {
    values,
    commands,
    down: false,
    latencyMs: 0,
    text: (key) => {
      const entry = held(key);
      return entry === undefined ? undefined : Buffer.from(entry.value).toString();
    },
    put: (key, value, ttlMs = Infinity) =>
      void values.set(key, {
        value: typeof value === "string" ? new TextEncoder().encode(value) : value,
        untilMs: clock.monotonicMs() + ttlMs,
      }),
    delete: (key) => void values.delete(key),
    putList: (key) => void lists.add(key),
    budget,
    read: async (key, spent = budget()) =>
      (await answer(`read ${key}`, spent, () => {
        if (lists.has(key)) return { kind: "wrong-type" } as const;
        const entry = held(key);
        if (entry === undefined) return { kind: "miss" } as const;
        const ttlMs = entry.untilMs - clock.monotonicMs();
        return { kind: "hit", value: entry.value, ...(ttlMs === Infinity ? {} : { ttlMs }) } as const;
      })) ?? { kind: "unavailable" },
    write: async (key, value, ttlSeconds, spent = budget()) =>
      (await answer(`write ${key} ${ttlSeconds}`, spent, () => {
        lists.delete(key);
        store.put(key, value, ttlSeconds * 1000);
        return true;
      })) ?? false,
    remove: async (key, spent = budget()) =>
      (await answer(`remove ${key}`, spent, () => {
        values.delete(key);
        return true;
      })) ?? false,
    claim: async (name, owner, ttlMs, spent = budget()) =>
      (await answer(`claim ${name}`, spent, () => {
        if (held(name) !== undefined) return "taken" as const;
        store.put(name, owner, ttlMs);
        return "won" as const;
      })) ?? "unavailable",
    release: async (name, owner) => {
      await answer(`release ${name}`, budget(), () => {
        if (store.text(name) === owner) values.delete(name);
      });
    },
  };
  return store;
}
