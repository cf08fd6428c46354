import type { BoundedFetch } from "./bounded-fetch.ts";
import { CallerShares } from "./caller-shares.ts";
import type { Clock } from "./clock.ts";
import { UpstreamFault } from "./upstream-fault.ts";

/**
 * At most `perHost` exchanges at once with one host; the others wait in order of arrival, within their own deadline. Before `fetch`,
 * because the runtime has one limit for all hosts together: a slow upstream would starve the others.
 *
 * One caller holds at most a quarter of them, waiting in that line included; see `CallerShares`, whose `OverBudget` is thrown beyond.
 *
 * Throws `upstream-unavailable` when the deadline passes, or the caller's signal is aborted, while a call still waits.
 */
export function limitPerHost(fetch: BoundedFetch, perHost: number, clock: Clock): BoundedFetch {
  if (!Number.isFinite(perHost)) return fetch;
  const hosts = new Map<string, Host>();
  return async (request) => {
    const { host } = new URL(request.url);
    const { turns, shares } = hosts.get(host) ?? {
      turns: new Turns(perHost),
      shares: new CallerShares(perHost, clock),
    };
    hosts.set(host, { turns, shares });
    const { caller } = request;
    const startedMs = clock.monotonicMs();
    if (caller !== undefined) await shares.enter(caller);
    try {
      const waiting = turns.take();
      if (waiting !== undefined) await orGiveUp(waiting, turns, request, clock);
      try {
        return await fetch({ ...request, timeoutMs: request.timeoutMs - (clock.monotonicMs() - startedMs) });
      } finally {
        turns.giveBack();
      }
    } finally {
      if (caller !== undefined) shares.leave(caller);
      if (turns.isIdle() && shares.isIdle()) hosts.delete(host);
    }
  };
}

interface Host {
  readonly turns: Turns;
  readonly shares: CallerShares;
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

  constructor(limit: number) {
    this.#limit = limit;
    this.#free = limit;
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
    return this.#free === this.#limit;
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
