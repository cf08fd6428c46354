import type { EntryRead, EntryStore, StoreBudget } from "../../../src/cache/entry-store.ts";
import type { Connection, Network } from "./network.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

/** Told of what one client of the server does. */
export interface ClientObserver {
  /** A command got no answer, or none was to be had. */
  readonly trouble: () => void;
  readonly reads: (key: string) => void;
  readonly removes: (key: string) => void;
  /** A read was answered, whatever with, that began then. */
  readonly answered: (key: string, sinceMs: number) => void;
  /** A read brought this value. */
  readonly got: (key: string, text: string) => void;
}

export interface StoreLine {
  readonly store: EntryStore;
  isUp: boolean;
}

const BUDGET_MS = 250;

/** The server that the instances share. What it holds can be looked at and tampered with. */
export class SharedServer {
  readonly #values = new Map<string, { readonly text: string; readonly untilMs: number }>();
  readonly #clock: SimulatedClock;
  readonly #network: Network;
  /** Every entry and marker that was ever written, for whoever puts one back. */
  readonly written: (readonly [key: string, text: string])[] = [];

  constructor(network: Network, clock: SimulatedClock) {
    this.#network = network;
    this.#clock = clock;
  }

  get(key: string): string | undefined {
    const entry = this.#values.get(key);
    if (entry === undefined || this.#clock.monotonicMs() < entry.untilMs) return entry?.text;
    this.#values.delete(key);
    return undefined;
  }

  put(key: string, text: string, ttlMs = Infinity): void {
    this.#values.set(key, { text, untilMs: this.#clock.monotonicMs() + ttlMs });
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  /** What is there but claims. */
  keys(): readonly string[] {
    return [...this.#values.keys()].filter((key) => !key.endsWith(":claim"));
  }

  connect(name: string, observer: ClientObserver): StoreLine {
    const connection: Connection = { arriving: [], answering: [] };
    const line: StoreLine = { isUp: true, store: this.#createStore(name, connection, () => line.isUp, observer) };
    return line;
  }

  #createStore(name: string, connection: Connection, isUp: () => boolean, observer: ClientObserver): EntryStore {
    const budget = (): StoreBudget => ({ leftMs: BUDGET_MS });
    /** Undefined: no answer. */
    const send = async <T>(command: string, spent: StoreBudget, serve: () => T): Promise<T | undefined> => {
      const startedMs = this.#clock.monotonicMs();
      const answered =
        isUp() && spent.leftMs > 0
          ? await this.#network.call<{ readonly of: T } | undefined>({
              label: `${name}: ${command}`,
              deadlineMs: spent.leftMs,
              serve: () => (isUp() ? { of: serve() } : "no answer"),
              tooLate: () => undefined,
              connection,
            })
          : undefined;
      spent.leftMs -= this.#clock.monotonicMs() - startedMs;
      if (answered === undefined) observer.trouble();
      return answered?.of;
    };

    return {
      budget,
      read: async (key, spent = budget()): Promise<EntryRead> => {
        observer.reads(key);
        const sinceMs = this.#clock.monotonicMs();
        const read = await send(`read ${key}`, spent, () => this.#read(key));
        if (read !== undefined) observer.answered(key, sinceMs);
        if (read?.kind === "hit") observer.got(key, Buffer.from(read.value).toString());
        return read ?? { kind: "unavailable" };
      },
      write: async (key, value, ttlSeconds, spent = budget()) => {
        const write = (): true => {
          this.put(key, value, ttlSeconds * 1000);
          this.written.push([key, value]);
          return true;
        };
        return (await send(`write ${key}`, spent, write)) ?? false;
      },
      remove: async (key, spent = budget()) => {
        observer.removes(key);
        return (await send(`remove ${key}`, spent, () => this.#values.delete(key) || true)) ?? false;
      },
      claim: async (claim, owner, ttlMs, spent = budget()) =>
        (await send(`claim ${claim}`, spent, () => this.#claim(claim, owner, ttlMs))) ?? "unavailable",
      release: async (claim, owner) => {
        await send(`release ${claim}`, budget(), () => {
          if (this.get(claim) === owner) this.#values.delete(claim);
          return true;
        });
      },
    };
  }

  #read(key: string): EntryRead {
    const text = this.get(key);
    if (text === undefined) return { kind: "miss" };
    const untilMs = this.#values.get(key)?.untilMs ?? Infinity;
    const value = new TextEncoder().encode(text);
    return { kind: "hit", value, ...(untilMs === Infinity ? {} : { ttlMs: untilMs - this.#clock.monotonicMs() }) };
  }

  #claim(claim: string, owner: string, ttlMs: number): "won" | "taken" {
    if (this.get(claim) !== undefined) return "taken";
    this.put(claim, owner, ttlMs);
    return "won";
  }
}
