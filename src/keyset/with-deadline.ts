import type { Clock } from "../lib/clock.ts";

/**
 * Runs `act` and gives up on it after `timeoutMs` or when `signal` is aborted, also if `act` heeds no signal: then it goes on unheard.
 * Rejects with an `Error` that says so, or with what `signal` was aborted with. An `act` that heeds its own signal has a turn of the event
 * loop to end by itself when the time is up: it knows where it stood.
 */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  act: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  let cancel = clock.after(timeoutMs, () => {
    const reason = new Error(`no answer within ${timeoutMs} ms`);
    controller.abort(reason);
    cancel = clock.after(0, () => late.reject(reason));
  });
  const both = signal === undefined ? controller.signal : AbortSignal.any([controller.signal, signal]);
  try {
    const ends = [act(both), late.promise];
    return await Promise.race(signal === undefined ? ends : [...ends, rejectOnAbort(signal)]);
  } finally {
    cancel();
  }
}

/** Waits. Rejects with what `signal` was aborted with. */
export async function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancel = clock.after(delayMs, resolve);
  const stop = (): void => reject(reasonOf(signal));
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    cancel();
    signal?.removeEventListener("abort", stop);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(reasonOf(signal));
  else signal.addEventListener("abort", () => reject(reasonOf(signal)), { once: true });
  return promise;
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error("aborted");
}
