import type { Clock } from "../lib/clock.ts";
import { PURGE_LASTS_MS, type Purge } from "./marker.ts";
import { covers, type TokenOrigin } from "./purge-scope.ts";

/** A purge that lies further ahead is taken back to here: a wrong clock must not keep tokens out of the cache for hours. */
const MOST_AHEAD_SECONDS = 60;
/** Far more than anyone orders by hand in an hour. Past it, whoever can write to the store is at play: all of them become one of everything. */
const CAPACITY = 500;

/** The purges that this instance knows of. They only ever grow while they matter: a marker that is gone, cut or older changes nothing. */
export interface PurgeLedger {
  /** Takes over what a marker says. Returns what is new. */
  readonly learn: (marker: readonly Purge[]) => readonly Purge[];
  readonly isPurged: (key: string, issuedAtEpochSeconds: number) => boolean;
}

interface Known {
  readonly purge: Purge;
  readonly sinceMonotonicMs: number;
}

/** `originOf`: what a cache key tells of its token. */
export function createPurgeLedger(originOf: (key: string) => TokenOrigin | undefined, clock: Clock): PurgeLedger {
  const known = new Map<string, Known>();

  const forget = (marker: readonly Purge[]): void => {
    const inMarker = new Set(marker.map(({ id }) => id));
    for (const [id, { sinceMonotonicMs }] of known)
      // One that is still in the marker would be learnt anew, with another limit to how far ahead it may lie.
      if (!inMarker.has(id) && clock.monotonicMs() - sinceMonotonicMs >= PURGE_LASTS_MS) known.delete(id);
  };
  const add = (purge: Purge): void => void known.set(purge.id, { purge, sinceMonotonicMs: clock.monotonicMs() });
  const collapse = (): void => {
    const latest = Math.max(...known.values().map(({ purge }) => purge.issuedBeforeEpochSeconds));
    const ids = [...known.keys()];
    known.clear();
    // Under an id each, so that none of them is new again.
    for (const id of ids.slice(-CAPACITY)) add({ id, scope: { kind: "all" }, issuedBeforeEpochSeconds: latest });
  };

  return {
    learn: (marker) => {
      forget(marker);
      const nowMs = clock.nowMs();
      const latest = Math.floor(nowMs / 1000) + MOST_AHEAD_SECONDS;
      const news = marker
        .filter(
          ({ id, issuedBeforeEpochSeconds }) =>
            !known.has(id) && issuedBeforeEpochSeconds * 1000 > nowMs - PURGE_LASTS_MS,
        )
        .map(({ id, scope, issuedBeforeEpochSeconds }) => {
          return { id, scope, issuedBeforeEpochSeconds: Math.min(issuedBeforeEpochSeconds, latest) };
        });
      news.forEach(add);
      if (known.size > CAPACITY) collapse();
      return news;
    },
    isPurged: (key, issuedAtEpochSeconds) => {
      if (known.size === 0) return false;
      const origin = originOf(key);
      for (const { purge } of known.values())
        if (issuedAtEpochSeconds < purge.issuedBeforeEpochSeconds && covers(purge.scope, origin)) return true;
      return false;
    },
  };
}
