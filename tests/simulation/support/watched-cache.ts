import type { Cache, CacheKey, Fetched, Source } from "../../../src/cache/cache.ts";
import type { VendedToken } from "../../../src/token/vended-token.ts";
import type { Refusal } from "../../../src/vending/mint.ts";

type TokenCache = Cache<VendedToken, Refusal>;
type TokenSource = Source<VendedToken, Refusal>;

/** Events have an order where time stands still. */
export interface Moment {
  readonly at: number;
  readonly ms: number;
}

/** One fetch that a source was asked for. */
export interface Fetch {
  readonly key: string;
  /** When it was decided that it might be needed. */
  readonly since: Moment;
  readonly isRenewal: boolean;
  /** Of the key, when the source was handed in: each drop and purge begins another. */
  readonly epoch: number;
}

export interface FetchObserver {
  readonly now: () => Moment;
  readonly begins: (fetch: Fetch) => void;
  readonly ends: (
    fetch: Fetch,
    isForgotten: boolean,
    result: Fetched<VendedToken, Refusal> | "failed",
    error?: unknown,
  ) => void;
  readonly drops: (key: string) => void;
}

/** The cache as it is, with an eye on when it fetches. */
export function watchCache(cache: TokenCache, observer: FetchObserver): TokenCache {
  const epochs = new Map<string, number>();
  let purges = 0;
  const epochOf = (key: string): number => purges * 1_000 + (epochs.get(key) ?? 0);

  const watched = ({ text }: CacheKey, source: TokenSource, isRenewal: boolean): TokenSource => {
    const fetch: Fetch = { key: text, since: observer.now(), isRenewal, epoch: epochOf(text) };
    const isForgotten = (): boolean => epochOf(text) !== fetch.epoch;
    return {
      ...source,
      fetch: async () => {
        observer.begins(fetch);
        try {
          const result = await source.fetch();
          observer.ends(fetch, isForgotten(), result);
          return result;
        } catch (error) {
          observer.ends(fetch, isForgotten(), "failed", error);
          throw error;
        }
      },
      renewal: () => {
        const renewal = source.renewal?.();
        return renewal && watched({ text, callerVaried: false }, renewal, true);
      },
    };
  };

  return {
    peek: (key, request, renewalOf) =>
      cache.peek(key, request, (one) => {
        const renewal = renewalOf(one);
        return renewal && watched(key, renewal, true);
      }),
    load: (key, source) => cache.load(key, watched(key, source, false)),
    drop: (key) => {
      epochs.set(key.text, (epochs.get(key.text) ?? 0) + 1);
      observer.drops(key.text);
      return cache.drop(key);
    },
    purge: () => {
      purges += 1;
      return cache.purge();
    },
  };
}
