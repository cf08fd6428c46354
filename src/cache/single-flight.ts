/** One call that others may have joined. */
export interface Flight {
  /** True once its key was forgotten: what it brings may be handed out, and must not be kept. */
  readonly isForgotten: () => boolean;
}

/**
 * Joins concurrent calls for one key into one. Everyone who asks while it runs gets its result or its failure; nothing is kept afterwards.
 *
 * The call takes no signal on purpose: a caller that goes away must not take it from the others.
 */
export interface SingleFlight<Result> {
  readonly run: (key: string, call: (flight: Flight) => Promise<Result>) => Promise<Result>;
  readonly isRunning: (key: string) => boolean;
  /** Whoever asks from now on gets a call of its own; those who wait keep theirs. */
  readonly forget: (key: string) => void;
}

export function createSingleFlight<Result>(): SingleFlight<Result> {
  const running = new Map<string, Promise<Result>>();
  return {
    run: (key, call) => {
      const joined = running.get(key);
      if (joined !== undefined) return joined;
      const isForgotten = (): boolean => running.get(key) !== started;
      const started: Promise<Result> = Promise.resolve()
        .then(() => call({ isForgotten }))
        .finally(() => {
          if (!isForgotten()) running.delete(key);
        });
      running.set(key, started);
      return started;
    },
    isRunning: (key) => running.has(key),
    forget: (key) => void running.delete(key),
  };
}
