import type { Clock } from "../lib/clock.ts";
import type { Aead } from "../tink/nonce-aead.ts";
import type { KeysetStore } from "./keyset-store.ts";
import type { KeysetSummary } from "./keyset-summary.ts";
import { loadKeyset, type LoadedKeyset } from "./load-keyset.ts";
import { sleep, withDeadline } from "./with-deadline.ts";

const MINUTE_MS = 60_000;
/** A new reading starts this long after the last one started. Rotation counts on the new keyset being in force within 15 minutes. */
const SHORTEST_PERIOD_MS = 12 * MINUTE_MS;
const LONGEST_PERIOD_MS = 14.5 * MINUTE_MS;
const REFRESH_TIMEOUT_MS = 20_000;

/** Three tries within 30 seconds: 3 x 8, with 1 and 3 between them. */
const START_TIMEOUT_MS = 8_000;
const START_PAUSES_MS = [1_000, 3_000, undefined] as const;

/** Told of what an operator wants to see in a log or a metric. Must not throw. */
export interface KeysetObserver {
  /** A keyset has come into force; at the start `before` is undefined. */
  readonly changed: (after: KeysetSummary, before: KeysetSummary | undefined) => void;
  /** A reading that found what is in force already. */
  readonly confirmed: () => void;
  /** The keyset in force stays so. */
  readonly refreshFailed: (error: unknown) => void;
}

export interface KeysetHolderOptions {
  readonly store: KeysetStore;
  readonly clock: Clock;
  /** From 0 up to, not including, 1. */
  readonly jitter: () => number;
  readonly observer: KeysetObserver;
  /** Ends the start, and only that. */
  readonly signal?: AbortSignal;
}

/** The keyset in force, read again every 12 to 14.5 minutes. A failed reading is repeated sooner and changes nothing. */
export interface KeysetHolder extends AsyncDisposable {
  /** To be asked for at each use: another may be in force by then. */
  readonly currentAead: () => Aead;
  readonly currentSummary: () => KeysetSummary;
  /** Reads now; joins a reading that is under way. Never rejects: the observer is told. */
  readonly refresh: () => Promise<void>;
}

/**
 * Loads the keyset, in three tries within 30 seconds, and keeps it fresh until disposed of.
 *
 * Throws the last try's `KeysetFailure`, or what `signal` was aborted with.
 */
export async function startKeysetHolder(options: KeysetHolderOptions): Promise<KeysetHolder> {
  const { store, clock, observer } = options;
  const stopping = new AbortController();
  const startedAtMs = clock.monotonicMs();
  let current = await loadAtStart(options);
  let failures = 0;
  let reading: Promise<void> | undefined;
  let cancelNext = (): void => undefined;
  observer.changed(current.summary, undefined);

  const read = async (): Promise<void> => {
    try {
      const next = await withDeadline(
        clock,
        REFRESH_TIMEOUT_MS,
        (signal) => loadKeyset(store, signal),
        stopping.signal,
      );
      failures = 0;
      if (isSame(current, next)) return observer.confirmed();
      const before = current.summary;
      current = next;
      observer.changed(next.summary, before);
    } catch (error) {
      if (stopping.signal.aborted) return;
      failures++;
      observer.refreshFailed(error);
    }
  };
  const refresh = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    const sinceMs = clock.monotonicMs();
    reading ??= read().finally(() => {
      reading = undefined;
      schedule(sinceMs);
    });
    await reading;
  };
  const schedule = (sinceMs: number): void => {
    cancelNext();
    if (stopping.signal.aborted) return;
    const delayMs = sinceMs + delayAfter(failures, options.jitter()) - clock.monotonicMs();
    cancelNext = clock.after(Math.max(0, delayMs), () => void refresh());
  };
  schedule(startedAtMs);

  return {
    currentAead: () => current.aead,
    currentSummary: () => current.summary,
    refresh,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      cancelNext();
      await reading;
    },
  };
}

async function loadAtStart({ store, clock, signal }: KeysetHolderOptions): Promise<LoadedKeyset> {
  for (const pauseMs of START_PAUSES_MS) {
    try {
      return await withDeadline(clock, START_TIMEOUT_MS, (both) => loadKeyset(store, both), signal);
    } catch (error) {
      if (pauseMs === undefined || signal?.aborted === true) throw error;
      await sleep(clock, pauseMs, signal);
    }
  }
  throw new TypeError("the last try throws");
}

/** Ids and states alone are not enough: a replaced keyset may have the same ones. */
function isSame(before: LoadedKeyset, after: LoadedKeyset): boolean {
  return before.versionId === after.versionId && Bun.deepEquals(before.summary, after.summary);
}

/** A regular period, or after failures 1, 2, 4, 8 minutes and up to a quarter more: an outage must not cost a rotation its 15 minutes. */
function delayAfter(failures: number, jitter: number): number {
  const regularMs = SHORTEST_PERIOD_MS + jitter * (LONGEST_PERIOD_MS - SHORTEST_PERIOD_MS);
  return failures === 0 ? regularMs : Math.min(regularMs, MINUTE_MS * 2 ** (failures - 1) * (1 + jitter / 4));
}
