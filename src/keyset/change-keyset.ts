import type { Clock } from "../lib/clock.ts";
import { writeKeysetBinary } from "../tink/keyset-binary.ts";
import type { Keyset } from "../tink/keyset.ts";
import { KeysetFailure } from "./keyset-failure.ts";
import type { KeysetStore, StoredKeyset } from "./keyset-store.ts";
import { summarizeKeyset, type KeysetSummary } from "./keyset-summary.ts";
import { createTestedAead } from "./load-keyset.ts";
import { sleep } from "./with-deadline.ts";

/** Others write between our reading and our writing at most this often. Ten writers at once need ten tries. */
const MAX_TRIES = 20;
const LONGEST_PAUSE_MS = 2_000;

export interface KeysetTools {
  readonly store: KeysetStore;
  readonly clock: Clock;
  /** From 0 up to, not including, 1. */
  readonly jitter: () => number;
  readonly signal?: AbortSignal;
}

/** What to make of the keyset that was read. `next` undefined: leave it as it is. */
export interface Plan<Result> {
  readonly next: Keyset | undefined;
  readonly result: Result;
}

export interface KeysetChange<Result> {
  readonly before: KeysetSummary;
  /** With a dry run: what it would be. */
  readonly after: KeysetSummary;
  /** False: a dry run, or nothing to change. */
  readonly written: boolean;
  readonly result: Result;
}

/**
 * Changes the stored keyset with compare-and-swap: reads, plans, checks, writes, and starts again from the reading when somebody
 * else was faster. So `plan` may run several times, each time on what is in force then.
 *
 * Throws `KeysetFailure`, or what `plan` throws; what is stored is then as it was. Key bytes are wiped in the end.
 */
export async function changeKeyset<Result>(
  tools: KeysetTools,
  plan: (stored: StoredKeyset) => Plan<Result>,
  { dryRun }: { readonly dryRun: boolean },
): Promise<KeysetChange<Result>> {
  const { store, signal } = tools;
  return await retryingConflicts(tools, async () => {
    using stored = await store.read(signal);
    const before = summarizeKeyset(stored.keyset);
    const { next, result } = plan(stored);
    if (next === undefined || isSame(next, stored.keyset)) return { before, after: before, written: false, result };
    checkBeforeWriting(store, next);
    const after = summarizeKeyset(next);
    if (dryRun) return { before, after, written: false, result };
    const outcome = await store.write(next, stored, signal);
    return outcome === "conflict" ? "conflict" : { before, after, written: true, result };
  });
}

/** Whatever could be found wrong later is found here: a keyset that services refuse must never be in force. */
export function checkBeforeWriting(store: KeysetStore, keyset: Keyset): void {
  createTestedAead(keyset, store.name);
  const binary = writeKeysetBinary(keyset);
  const size = binary.length;
  binary.fill(0);
  if (store.maxBinaryBytes === undefined || size <= store.maxBinaryBytes) return;
  const reason = `the keyset would have ${size} bytes, KMS encrypts ${store.maxBinaryBytes}: delete keys that are not used`;
  throw new KeysetFailure("keyset-too-large", "kms", reason);
}

/** Runs `attempt` until it ends otherwise than with a conflict. Throws `KeysetFailure` (`keyset-conflict`) after 20 tries. */
export async function retryingConflicts<T>(
  { store, clock, jitter, signal }: KeysetTools,
  attempt: () => Promise<T | "conflict">,
): Promise<T> {
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const outcome = await attempt();
    if (outcome !== "conflict") return outcome;
    await sleep(clock, Math.min(LONGEST_PAUSE_MS, 50 * 2 ** tries) * jitter(), signal);
  }
  throw conflict(store);
}

/** What is to be told of a write that others have come before. */
export function conflict(store: KeysetStore): KeysetFailure {
  // Whoever is at a file has a second one beside it, which outlives its owner's sudden end.
  const rest = store.step === "file" ? " (while its .new is there, others are: remove what a dead one left)" : "";
  const reason = `${store.name} was changed by others meanwhile; nothing was written${rest}`;
  return new KeysetFailure("keyset-conflict", store.step, reason);
}

function isSame(left: Keyset, right: Keyset): boolean {
  const [one, other] = [writeKeysetBinary(left), writeKeysetBinary(right)];
  const same = Buffer.from(one.buffer).equals(other);
  one.fill(0);
  other.fill(0);
  return same;
}
