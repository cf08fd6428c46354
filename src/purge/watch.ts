import type { EntryForm } from "../cache/entry-form.ts";
import type { EntryStore, StoreBudget } from "../cache/entry-store.ts";
import type { Cancel, Clock } from "../lib/clock.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import type { PurgeLedger } from "./ledger.ts";
import { MARKER_KEY, parseMarker, type Purge } from "./marker.ts";

const POLL_MS = 10_000;
/** The age of what is known of the marker past which nothing that the store holds is used. */
const LONGEST_UNKNOWN_MS = 30_000;

/** Told when something changes. Must not throw. */
export interface PurgeObserver {
  readonly noticed: (purges: readonly Purge[]) => void;
  /** There is a marker, and it cannot be read, or can again. It changes nothing until it can. */
  readonly unreadable: (why: string | undefined) => void;
}

export interface PurgeWatchOptions {
  readonly store: EntryStore;
  readonly form: EntryForm;
  readonly ledger: PurgeLedger;
  readonly clock: Clock;
  readonly observer: PurgeObserver;
}

/** Looks at the marker every ten seconds, in the background. */
export interface PurgeWatch extends Disposable {
  readonly start: () => void;
  /** Whether the marker was read, or found absent, within 30 seconds; if not, looks now. Never rejects. */
  readonly isCurrent: (budget: StoreBudget) => MaybePromise<boolean>;
}

export function createPurgeWatch({ store, form, ledger, clock, observer }: PurgeWatchOptions): PurgeWatch {
  let knownMonotonicMs = -Infinity;
  let looking: Promise<boolean> | undefined;
  let cancelNext: Cancel = () => undefined;
  let unreadable: string | undefined;

  const report = (why: string | undefined): void => {
    if (why === unreadable) return;
    unreadable = why;
    observer.unreadable(why);
  };
  const look = async (budget: StoreBudget): Promise<boolean> => {
    const startedMs = clock.monotonicMs();
    const read = await readMarker(store, form, budget);
    if (read.kind === "unavailable") return false;
    knownMonotonicMs = startedMs;
    report(read.kind === "unreadable" ? read.why : undefined);
    const news = read.kind === "marker" ? ledger.learn(read.purges) : [];
    if (news.length > 0) observer.noticed(news);
    return true;
  };
  const lookOnce = (budget: StoreBudget): Promise<boolean> =>
    (looking ??= look(budget).finally(() => (looking = undefined)));
  const poll = (): void => {
    cancelNext = clock.after(POLL_MS, poll);
    void lookOnce(store.budget());
  };

  return {
    start: poll,
    isCurrent: (budget) => clock.monotonicMs() - knownMonotonicMs < LONGEST_UNKNOWN_MS || lookOnce(budget),
    [Symbol.dispose]: () => cancelNext(),
  };
}

export type MarkerRead =
  | { readonly kind: "marker"; readonly purges: readonly Purge[] }
  | { readonly kind: "absent" }
  /** It is as good as absent: whoever could spoil it could also delete it. */
  | { readonly kind: "unreadable"; readonly why: string }
  | { readonly kind: "unavailable" };

/** Never rejects. */
export async function readMarker(store: EntryStore, form: EntryForm, budget?: StoreBudget): Promise<MarkerRead> {
  const read = await store.read(form.storageKey(MARKER_KEY), budget);
  if (read.kind === "unavailable") return read;
  if (read.kind === "miss") return { kind: "absent" };
  if (read.kind === "wrong-type") return { kind: "unreadable", why: read.kind };
  const opened = form.open(MARKER_KEY, read.value);
  if (opened.kind === "unused") return { kind: "unreadable", why: opened.why };
  const purges = parseMarker(opened.text);
  return purges === undefined ? { kind: "unreadable", why: "malformed" } : { kind: "marker", purges };
}
