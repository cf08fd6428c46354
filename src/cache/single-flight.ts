/**
 * Joins concurrent calls for one key into one. Everyone who asks while it runs gets its result or its failure; nothing is kept afterwards.
 *
 * The call takes no signal on purpose: a caller that goes away must not take it from the others.
 */
export interface SingleFlight<Result> {
  readonly run: (key: string, call: () => Promise<Result>) => Promise<Result>;
}

export function createSingleFlight<Result>(): SingleFlight<Result> {
  const running = new Map<string, Promise<Result>>();
  return {
    run: (key, call) => {
      const joined = running.get(key);
      if (joined !== undefined) return joined;
      const started = call().finally(() => running.delete(key));
      running.set(key, started);
      return started;
    },
  };
}
