import type { Cancel, Clock } from "../lib/clock.ts";
import { unlessAborted } from "../lib/unless-aborted.ts";
import { type RefreshDependencies, type RefreshOutcome, refreshOnce } from "./refresh-once.ts";

/** The service does not listen before it has a policy, so the wait is short. */
export const START_RETRY_MS = 5_000;

export const REFRESH_EVERY_MS = 5 * 60_000;

/** What made a refresh happen. */
export type RefreshTrigger = "start" | "interval" | "request" | "change";

export interface RefresherOptions extends RefreshDependencies {
  readonly clock: Clock;
  /** Told of every refresh. Must not throw. */
  readonly observe: (outcome: RefreshOutcome, trigger: RefreshTrigger) => void;
  /** Wraps each refresh, for a span around it; must call what it is given once and hand on its result. */
  readonly around?: (refresh: () => Promise<RefreshOutcome>) => Promise<RefreshOutcome>;
}

/** Keeps the policy in a store up to date. Disposing ends every wait and the refresh in flight. */
export interface PolicyRefresher extends AsyncDisposable {
  /**
   * The start-up gate: resolves when a policy is in force, trying every 5 seconds. Rejects with the reason of `signal`, or of
   * the refresher when it is disposed.
   */
  readonly load: (signal: AbortSignal) => Promise<void>;
  /** From now on refreshes every 5 minutes, and when the source sees a change. */
  readonly start: () => void;
  /**
   * Refreshes now. While a refresh is in flight, which may have read the file already, one more follows it, however often
   * this is called meanwhile. Never rejects.
   */
  readonly refreshNow: (trigger?: RefreshTrigger) => Promise<RefreshOutcome>;
}

export function createPolicyRefresher(options: RefresherOptions): PolicyRefresher {
  const { clock, store, source, observe, around = (refresh) => refresh() } = options;
  const stop = new AbortController();
  let running: Promise<RefreshOutcome> | undefined;
  let next: Promise<RefreshOutcome> | undefined;
  const cancels = new Set<Cancel>();

  const run = async (trigger: RefreshTrigger): Promise<RefreshOutcome> => {
    try {
      const outcome = await around(() => refreshOnce(options, stop.signal));
      if (!stop.signal.aborted) observe(outcome, trigger);
      return outcome;
    } finally {
      running = undefined;
    }
  };

  const refreshNow = (trigger: RefreshTrigger = "request"): Promise<RefreshOutcome> => {
    if (running === undefined) return (running = run(trigger));
    next ??= running.then(() => {
      next = undefined;
      return refreshNow(trigger);
    });
    return next;
  };

  const arm = (): void => {
    if (stop.signal.aborted) return;
    const cancel = clock.after(REFRESH_EVERY_MS, () => {
      cancels.delete(cancel);
      void refreshNow("interval").finally(arm);
    });
    cancels.add(cancel);
  };

  return {
    refreshNow,
    load: async (signal) => {
      const ended = AbortSignal.any([signal, stop.signal]);
      ended.throwIfAborted();
      await unlessAborted(refreshNow("start"), ended);
      while (store.inForce() === undefined) {
        await pause(clock, START_RETRY_MS, ended);
        await unlessAborted(refreshNow("start"), ended);
      }
    },
    start: () => {
      arm();
      const unwatch = source.watch?.(() => void refreshNow("change"));
      if (unwatch !== undefined) cancels.add(unwatch);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new DOMException("the service is stopping", "AbortError"));
      for (const cancel of cancels) cancel();
      await running;
    },
  };
}

async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const over = Promise.withResolvers<void>();
  const cancel = clock.after(delayMs, over.resolve);
  try {
    await unlessAborted(over.promise, signal);
  } finally {
    cancel();
  }
}
