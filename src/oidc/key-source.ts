import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import { discoverKeys } from "./discover-keys.ts";
import type { KeySet } from "./key-set.ts";

/** The keys to judge by, or why there are none. */
export type Keys =
  { readonly kind: "keys"; readonly keys: KeySet } | { readonly kind: "unavailable"; readonly cause: string };

/** Where the verifier gets the issuer's keys. Callers never cancel a fetch that they share. */
export interface KeySource {
  /** The keys in force: at once while they may serve, else after a fetch that all callers share. Never rejects. */
  readonly current: () => Keys | Promise<Keys>;
  /**
   * The keys after a token named one that `current` lacks. Fetches at most once per cool-down, however many ask; in between the
   * answer is that of the last fetch: the keys it brought, or `unavailable` when it failed. Never rejects.
   */
  readonly afterUnknownKid: () => Keys | Promise<Keys>;
  /** Fetches now, or joins the fetch under way; for whoever renews ahead of time. `unavailable`: this fetch failed. */
  readonly refresh: () => Promise<Keys>;
}

export interface KeySourceObserver {
  readonly keysFetched: (keys: KeySet) => void;
  /** `heldForMs`: the age of the keys that go on serving; absent when there are none. */
  readonly keysFetchFailed: (cause: string, heldForMs: number | undefined) => void;
}

export interface KeySourceOptions {
  readonly issuer: string;
  readonly fetch: BoundedFetch;
  readonly clock: Clock;
  /** 0 up to 1, as `Math.random`. */
  readonly random: () => number;
  readonly observer?: KeySourceObserver;
}

/** After this, keys are asked for again before they judge anything more: a withdrawn key is trusted no longer than this. */
const FRESH_MS = 60 * 60 * 1000;
/** Keys in use are asked for again behind everybody's back from here on, or up to a tenth of it earlier: nobody waits for an hour's end. */
const RENEW_MS = FRESH_MS / 2;
/** How long an outage of the issuer goes unnoticed. Past it, a key withdrawn meanwhile is the greater danger. */
const LONGEST_HELD_MS = 24 * 60 * 60 * 1000;
/** Between a fetch and the next one that an unknown `kid` or an outage causes: anyone can send tokens with made-up names. */
const COOL_DOWN_MS = 30_000;
/** The same while nothing can be judged at all: short of the five seconds after which clients are told to come back. */
const EMPTY_HANDED_COOL_DOWN_MS = 1000;

/** The keys that an issuer publishes, fetched on first use and held; see `KeySource` and the limits above. */
export function createKeySource({ issuer, fetch, clock, random, observer }: KeySourceOptions): KeySource {
  let held: { readonly keys: KeySet; readonly fetchedAtMs: number; readonly renewFromMs: number } | undefined;
  let failure: string | undefined;
  let settledAtMs = Number.NEGATIVE_INFINITY;
  let underWay: Promise<Keys> | undefined;

  const heldWithin = (limitMs: number): Keys | undefined =>
    held !== undefined && clock.monotonicMs() - held.fetchedAtMs < limitMs
      ? { kind: "keys", keys: held.keys }
      : undefined;
  const coolsDown = (forMs: number): boolean => clock.monotonicMs() - settledAtMs < forMs;

  const fetchKeys = async (): Promise<Keys> => {
    // Counted from the asking: the answer may be as old as that.
    const fetchedAtMs = clock.monotonicMs();
    try {
      const keys = await discoverKeys(issuer, fetch);
      held = { keys, fetchedAtMs, renewFromMs: fetchedAtMs + RENEW_MS * (1 - random() / 10) };
      failure = undefined;
      observer?.keysFetched(keys);
      return { kind: "keys", keys };
    } catch (error) {
      failure = describeCauses(error);
      observer?.keysFetchFailed(failure, held === undefined ? undefined : clock.monotonicMs() - held.fetchedAtMs);
      return unavailable(failure);
    } finally {
      settledAtMs = clock.monotonicMs();
      underWay = undefined;
    }
  };
  const refresh = (): Promise<Keys> => (underWay ??= fetchKeys());

  const current = (): Keys | Promise<Keys> => {
    const fresh = heldWithin(FRESH_MS);
    if (fresh !== undefined) {
      if (held !== undefined && clock.monotonicMs() >= held.renewFromMs && !coolsDown(COOL_DOWN_MS)) void refresh();
      return fresh;
    }
    const old = heldWithin(LONGEST_HELD_MS);
    if (old !== undefined && failure !== undefined) {
      // The issuer is known to be out of reach: requests are not made to wait for it to hang once more.
      if (!coolsDown(COOL_DOWN_MS)) void refresh();
      return old;
    }
    if (failure !== undefined && coolsDown(EMPTY_HANDED_COOL_DOWN_MS)) return unavailable(failure);
    return refresh().then((answer) => (answer.kind === "keys" ? answer : (heldWithin(LONGEST_HELD_MS) ?? answer)));
  };

  const afterUnknownKid = (): Keys | Promise<Keys> => {
    if (underWay !== undefined) return underWay;
    if (!coolsDown(COOL_DOWN_MS)) return refresh();
    return failure === undefined ? current() : unavailable(failure);
  };

  return { current, afterUnknownKid, refresh };
}

function unavailable(cause: string): Keys {
  return { kind: "unavailable", cause: `no keys from the issuer: ${cause}` };
}
