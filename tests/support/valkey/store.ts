import { systemClock } from "../../../src/lib/clock.ts";
import { createSharedStore, type SharedStore, type SharedStoreOptions } from "../../../src/valkey/shared-store.ts";
import { createEventLog, type EventLog } from "./events.ts";

/** A store under test, with the time between attempts shortened; commands keep their real deadlines. */
export function openStore(
  port: number,
  options: Partial<SharedStoreOptions> = {},
): { readonly store: SharedStore; readonly events: EventLog } & AsyncDisposable {
  const events = createEventLog();
  const store = createSharedStore({
    address: { host: "localhost", port },
    observer: events.observer,
    clock: systemClock,
    random: Math.random,
    ...options,
    timing: { backOffFirstMs: 20, backOffLongestMs: 200, ...options.timing },
  });
  return { store, events, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** What callers of a store saw while something was done to its server. */
export interface LoadReport {
  readonly sent: number;
  /** Results that say nothing: `unavailable`, or false for a write. */
  readonly unanswered: number;
  /** Rejections and wrong values: there must be none, whatever happens to the server. */
  readonly failed: number;
  readonly slowestMs: number;
  readonly medianMs: number;
}

/** Reads and writes from `workers` loops until `during` has ended. Each value read must be the one written. */
export async function underLoad(
  store: SharedStore,
  workers: number,
  during: () => Promise<unknown>,
): Promise<LoadReport> {
  const took: number[] = [];
  const counts = { sent: 0, unanswered: 0, failed: 0 };
  const finished = new AbortController();
  const timed = async (work: () => Promise<boolean>): Promise<void> => {
    const startedMs = performance.now();
    counts.sent += 1;
    try {
      if (!(await work())) counts.unanswered += 1;
    } catch {
      counts.failed += 1;
    }
    took.push(performance.now() - startedMs);
  };
  const worker = async (index: number): Promise<void> => {
    for (let round = 0; !finished.signal.aborted; round++) {
      const key = `load:${index}:${round % 50}`;
      await timed(() => store.write(key, key, 600));
      await timed(async () => {
        const read = await store.read(key);
        if (read.kind === "hit" && Buffer.from(read.value).toString() !== key) throw new Error("another's value");
        return read.kind !== "unavailable";
      });
      await pause(2);
    }
  };
  const loops = Array.from({ length: workers }, (_none, index) => worker(index));
  await during();
  finished.abort();
  await Promise.all(loops);
  took.sort((a, b) => a - b);
  const rounded = (ms: number | undefined): number => Math.round((ms ?? 0) * 10) / 10;
  return { ...counts, slowestMs: rounded(took.at(-1)), medianMs: rounded(took[Math.floor(took.length / 2)]) };
}
