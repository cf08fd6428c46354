import type { Clock } from "../lib/clock.ts";
import type { EntryForm } from "./entry-form.ts";
import type { EntryStore, StoreBudget } from "./entry-store.ts";
import type { SharedRead } from "./shared-level.ts";

/** A claim that its owner cannot give back, because it died, stands in nobody's way for longer. */
const CLAIM_MS = 5_000;
/** The wait is for whoever fetches, not for the store: making a token takes GitHub a few hundred milliseconds. */
const LONGEST_WAIT_MS = 2_000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 100;

export type Turn<Value> =
  /** To fetch. `done` is to be called when the result is stored, or when there is none. */
  | { readonly kind: "ours"; readonly done: () => Promise<void> }
  /** Another instance has fetched meanwhile. */
  | { readonly kind: "found"; readonly read: Extract<SharedRead<Value>, { readonly kind: "hit" }> };

export interface TurnOptions {
  readonly store: EntryStore;
  readonly form: EntryForm;
  readonly clock: Clock;
  /** Unique and unguessable, each time. */
  readonly newOwner: () => string;
}

/**
 * One instance fetches while the others wait for its result, two seconds at most; then they fetch anyway. When the one who fetches fails,
 * the next one takes its place. Without an answer from the store everybody fetches at once.
 */
export type TakeTurn<Value> = (
  key: string,
  look: () => Promise<SharedRead<Value>>,
  budget: StoreBudget,
) => Promise<Turn<Value>>;

/**
 * The name of an entry's claim. A prefix could make any other form the key of an entry of another deployment; but keys end in a name
 * without `:`, so no entry's key ends like this.
 */
export function claimName(storageKey: string): string {
  return `${storageKey}:claim`;
}

export function createTakeTurn<Value>({ store, form, clock, newOwner }: TurnOptions): TakeTurn<Value> {
  return async (key, look, budget) => {
    const name = claimName(form.storageKey(key));
    const owner = newOwner();
    const untilMs = clock.monotonicMs() + LONGEST_WAIT_MS;
    const release = (): Promise<void> => store.release(name, owner);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const claim = await store.claim(name, owner, CLAIM_MS, budget);
      if (claim === "unavailable") return { kind: "ours", done: nothing };
      if (claim === "taken") await pause(clock, Math.min(pauseMs, untilMs - clock.monotonicMs()));
      // Also after winning: the one before may have stored its result since we looked last.
      const read = await look();
      if (read.kind === "hit") {
        if (claim === "won") void release();
        return { kind: "found", read };
      }
      if (claim === "won") return { kind: "ours", done: release };
      if (read.kind === "unavailable" || clock.monotonicMs() >= untilMs) return { kind: "ours", done: nothing };
    }
  };
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
