import type { Clock } from "../lib/clock.ts";
import type { Address } from "./address.ts";
import type { Budget } from "./budget.ts";
import type { Command, Reply } from "./connection.ts";
import type { CredentialSource } from "./credential-source.ts";
import { Dispatcher, type Exchange } from "./dispatch.ts";
import type { ServerState, ValkeyObserver } from "./events.ts";
import { type Failure, Refusal } from "./failure.ts";
import { Link } from "./link.ts";
import { createReporter } from "./reporter.ts";
import { Routes } from "./routes.ts";
import { DEFAULT_TIMING, type Timing } from "./timing.ts";
import { type TlsSettings, tlsOptions } from "./tls.ts";

/** AWS cuts a connection that authenticated with IAM 12 hours ago. */
export const IAM_RENEWAL_MS = 11 * 60 * 60 * 1000;

export interface SharedStoreOptions {
  /** The configured endpoint; of a cluster, any of its nodes or a name for all of them. */
  readonly address: Address;
  /** Absent: plain TCP. */
  readonly tls?: TlsSettings | undefined;
  /** Absent: the server asks for none. */
  readonly credentials?: CredentialSource | undefined;
  /** The age at which a connection's credentials are renewed at the latest; absent: never. */
  readonly renewAfterMs?: number | undefined;
  readonly observer: ValkeyObserver;
  readonly clock: Clock;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly timing?: Partial<Timing> | undefined;
}

/** `wrong-type`: the key holds a list, a hash or the like. `unavailable`: nothing is known about the key. */
export type StoreRead =
  /** `ttlMs` is absent when the key never expires, else above 0. */
  | { readonly kind: "hit"; readonly value: Uint8Array; readonly ttlMs?: number }
  | { readonly kind: "miss" }
  | { readonly kind: "wrong-type" }
  | { readonly kind: "unavailable"; readonly failure: Failure };

export type ClaimOutcome = "won" | "taken" | "unavailable";

export interface StoreStatus {
  /** The configured endpoint's state. */
  readonly state: ServerState;
  readonly failure?: Failure;
  readonly servers: readonly { readonly server: string; readonly state: ServerState; readonly failure?: Failure }[];
}

/**
 * Values that several instances share. No method rejects because of the server, and none takes longer than its budget: a
 * new one of 250 ms when none is handed in.
 */
export interface SharedStore extends AsyncDisposable {
  /** A budget for all that one request does here. */
  budget(): Budget;
  /** Value and time to live in one round trip. */
  read(key: string, budget?: Budget): Promise<StoreRead>;
  /** Stores a value for whole seconds, at least one. False when that is not known to have happened. */
  write(key: string, value: string, ttlSeconds: number, budget?: Budget): Promise<boolean>;
  /** False when the key is not known to be gone. */
  remove(key: string, budget?: Budget): Promise<boolean>;
  /** Takes a name for a time, unless somebody has it. `owner` must be unique to this claim and unguessable. */
  claim(name: string, owner: string, ttlMs: number, budget?: Budget): Promise<ClaimOutcome>;
  /** Gives a claim back if it is still this owner's. For the background: it takes two round trips, one claim at a time. */
  release(name: string, owner: string, budget?: Budget): Promise<void>;
  status(): StoreStatus;
  /** Resolves with the status when the first attempt to connect to the configured endpoint is decided. */
  firstStatus(): Promise<StoreStatus>;
}

/** Starts connecting at once and returns without waiting; the server may come later. */
export function createSharedStore(options: SharedStoreOptions): SharedStore {
  const { address, observer, clock, random, credentials, renewAfterMs } = options;
  const timing: Timing = { ...DEFAULT_TIMING, ...options.timing };
  const tls = options.tls === undefined ? undefined : tlsOptions(options.tls);
  const reporter = createReporter(observer);
  const shared = { tls, credentials, renewAfterMs, clock, random, timing, reporter };
  const routes = new Routes(
    address,
    (server, onFailedAttempt) => new Link({ ...shared, address: server, onFailedAttempt }),
    reporter.forgotten,
  );
  const firstOutcome = routes.seed.outcome;
  const budget = (): Budget => ({ leftMs: timing.requestBudgetMs });
  return {
    budget,
    ...createCommands(new Dispatcher(routes, clock, reporter), budget),
    status: () => describe(routes),
    firstStatus: async () => {
      await firstOutcome;
      return describe(routes);
    },
    [Symbol.asyncDispose]: async () => routes[Symbol.dispose](),
  };
}

type Commands = Pick<SharedStore, "read" | "write" | "remove" | "claim" | "release">;

function createCommands(dispatcher: Dispatcher, newBudget: () => Budget): Commands {
  const single = async (key: string, budget: Budget, name: string, args: readonly string[]): Promise<Reply> => {
    const outcome = await dispatcher.perform(key, budget, { run: (exchange) => exchange([{ name, args }]) });
    return outcome.kind === "answered" ? outcome.replies[0] : outcome.failure;
  };
  return {
    read: async (key, budget = newBudget()) => {
      // The time to live first: if the entry is replaced between the two, the shorter one of the old entry counts.
      const commands = [command("PTTL", key), command("GET", key)];
      const outcome = await dispatcher.perform(key, budget, { run: (exchange) => exchange(commands) });
      if (outcome.kind === "failed") return { kind: "unavailable", failure: outcome.failure };
      return toRead(outcome.replies);
    },
    write: async (key, value, ttlSeconds, budget = newBudget()) => {
      if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1) throw new TypeError("ttlSeconds must be 1 or more");
      return (await single(key, budget, "SET", [key, value, "EX", String(ttlSeconds)])) === "OK";
    },
    remove: async (key, budget = newBudget()) => typeof (await single(key, budget, "DEL", [key])) === "number",
    claim: async (name, owner, ttlMs, budget = newBudget()) => {
      // With GET the one who has it is answered, so that a claim whose answer was lost is recognised when it is repeated.
      const reply = await single(name, budget, "SET", [name, owner, "NX", "GET", "PX", String(Math.ceil(ttlMs))]);
      if (reply === null || reply === owner) return "won";
      return typeof reply === "string" ? "taken" : "unavailable";
    },
    release: async (name, owner, budget = newBudget()) => {
      const run = (exchange: Exchange): Promise<readonly Reply[]> => compareAndDelete(exchange, name, owner);
      await dispatcher.perform(name, budget, { run, exclusive: true });
    },
  };
}

/**
 * Deletes the claim only while it holds our value. A script would do it in one round trip, but needs the permission to run
 * scripts; `WATCH` makes the deletion void when anybody has touched the key since it was read.
 */
async function compareAndDelete(exchange: Exchange, name: string, owner: string): Promise<readonly Reply[]> {
  const watched = await exchange([command("WATCH", name), command("GET", name)]);
  const [ok, value] = watched;
  if (ok instanceof Refusal || value instanceof Refusal) return watched;
  if (!(value instanceof Uint8Array) || Buffer.from(value).toString() !== owner) return exchange([command("UNWATCH")]);
  return exchange([command("MULTI"), command("DEL", name), command("EXEC")]);
}

function toRead([ttlMs, value]: readonly Reply[]): StoreRead {
  const refusal = [ttlMs, value].find((reply) => reply instanceof Refusal);
  if (refusal instanceof Refusal) {
    return refusal.text.startsWith("WRONGTYPE") ? { kind: "wrong-type" } : { kind: "unavailable", failure: refusal };
  }
  // -2: there was no such key a moment before the value was read. -1: it does not expire.
  if (!(value instanceof Uint8Array) || typeof ttlMs !== "number" || ttlMs === 0 || ttlMs < -1) return { kind: "miss" };
  return ttlMs === -1 ? { kind: "hit", value } : { kind: "hit", value, ttlMs };
}

function command(name: string, ...args: readonly string[]): Command {
  return { name, args };
}

function describe({ seed, links }: Routes): StoreStatus {
  return { ...describeLink(seed), servers: links.map((link) => ({ server: link.server, ...describeLink(link) })) };
}

function describeLink({ state, failure }: Link): { readonly state: ServerState; readonly failure?: Failure } {
  return failure === undefined ? { state } : { state, failure };
}
