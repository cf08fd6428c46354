import type { BoundedFetch } from "./bounded-fetch.ts";
import type { Clock } from "./clock.ts";
import { OverBudget } from "./over-budget.ts";
import { UpstreamFault } from "./upstream-fault.ts";

/** One caller has a quarter. */
const CALLERS_SHARE = 4;
/** An upstream call takes a few hundred milliseconds. */
const BUSY_SECONDS = 1;

/**
 * At most `perHost` exchanges at once with one host; the others wait in order of arrival, within their own deadline. Before `fetch`,
 * because the runtime has one limit for all hosts together: a slow upstream would starve the others.
 *
 * One caller holds at most a quarter of them, waiting included; beyond, its call is refused at once with `OverBudget`, so that whoever
 * makes an upstream hang, or asks without end, leaves connections to the others.
 *
 * Throws `upstream-unavailable` when the deadline passes, or the caller's signal is aborted, while a call still waits.
 */
export function limitPerHost(fetch: BoundedFetch, perHost: number, clock: Clock): BoundedFetch {
  if (!Number.isFinite(perHost)) return fetch;
  const hosts = new Map<string, Turns>();
  return async (request) => {
    const { host } = new URL(request.url);
    const turns = hosts.get(host) ?? new Turns(perHost);
    hosts.set(host, turns);
    turns.enter(request.caller);
    const startedMs = clock.monotonicMs();
    try {
      const waiting = turns.take();
      if (waiting !== undefined) await orGiveUp(waiting, turns, request, clock);
      try {
        return await fetch({ ...request, timeoutMs: request.timeoutMs - (clock.monotonicMs() - startedMs) });
      } finally {
        turns.giveBack();
      }
    } finally {
      turns.leave(request.caller);
      if (turns.isIdle()) hosts.delete(host);
    }
  };
}

interface Waiter {
  readonly begin: () => void;
  readonly begun: Promise<void>;
}

class Turns {
  #free: number;
  readonly #limit: number;
  /** In order of arrival. */
  readonly #waiting = new Set<Waiter>();
  /** Calls of each caller that wait or run. */
  readonly #callers = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
    this.#free = limit;
  }

  /** Throws `OverBudget` when the caller has its share already. */
  enter(caller: string | undefined): void {
    if (caller === undefined) return;
    const count = this.#callers.get(caller) ?? 0;
    if (count >= Math.max(1, Math.floor(this.#limit / CALLERS_SHARE)))
      throw new OverBudget("too many upstream calls at once by this pipeline", BUSY_SECONDS);
    this.#callers.set(caller, count + 1);
  }

  leave(caller: string | undefined): void {
    if (caller === undefined) return;
    const count = this.#callers.get(caller) ?? 0;
    if (count > 1) this.#callers.set(caller, count - 1);
    else this.#callers.delete(caller);
  }

  /** Undefined: it is the caller's turn already. */
  take(): Waiter | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { begin: resolve, begun: promise };
    this.#waiting.add(waiter);
    return waiter;
  }

  /** False when its turn has come already. */
  giveUp(waiter: Waiter): boolean {
    return this.#waiting.delete(waiter);
  }

  giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next.begin();
  }

  isIdle(): boolean {
    return this.#free === this.#limit && this.#callers.size === 0;
  }
}

async function orGiveUp(
  waiter: Waiter,
  turns: Turns,
  { timeoutMs, signal, operation, upstream }: Parameters<BoundedFetch>[0],
  clock: Clock,
): Promise<void> {
  const gaveUp = Promise.withResolvers<never>();
  const giveUp = (): void => {
    if (!turns.giveUp(waiter)) return;
    gaveUp.reject(new UpstreamFault("upstream-unavailable", `${operation}: no free connection in time`, { upstream }));
  };
  const cancel = clock.after(timeoutMs, giveUp);
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted === true) giveUp();
  try {
    await Promise.race([waiter.begun, gaveUp.promise]);
  } finally {
    cancel();
    signal?.removeEventListener("abort", giveUp);
  }
}
