/** The signals that the service knows; no other does anything. */
export interface Signals extends Disposable {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly stop: AbortSignal;
  /** Resolves at the second: no more waiting. */
  readonly force: Promise<void>;
  readonly isForced: () => boolean;
  /** What SIGHUP does. */
  onHangup: (() => void) | undefined;
}

/** Would end the process if nobody listened. */
const IGNORED = ["SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const;

/** Listens from now on. Until disposed, none of these signals ends the process by itself. */
export function listenForSignals(): Signals {
  const stop = new AbortController();
  const force = Promise.withResolvers<void>();
  let isForced = false;
  const onStop = (): void => {
    if (!stop.signal.aborted) return stop.abort(new Error("told to stop"));
    isForced = true;
    force.resolve();
  };
  const ignore = (): void => undefined;
  const onHangup = (): void => signals.onHangup?.();
  const signals: Signals = {
    stop: stop.signal,
    force: force.promise,
    isForced: () => isForced,
    onHangup: undefined,
    [Symbol.dispose]: () => {
      process.off("SIGTERM", onStop).off("SIGINT", onStop).off("SIGHUP", onHangup);
      for (const name of IGNORED) process.off(name, ignore);
    },
  };
  process.on("SIGTERM", onStop).on("SIGINT", onStop).on("SIGHUP", onHangup);
  for (const name of IGNORED) process.on(name, ignore);
  return signals;
}

export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => {
    signal.addEventListener("abort", resolve, { once: true });
  });
}

/**
 * What `work` comes to, or a rejection caused by the signal's reason as soon as that is aborted. `work` itself goes on: a call to an upstream that
 * does not answer ends at its own deadline, seconds after a process should be gone.
 */
export async function unlessAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  const aborted = untilAborted(signal).then((): never => {
    throw new Error("told to stop", { cause: signal.reason });
  });
  return Promise.race([work, aborted]);
}
