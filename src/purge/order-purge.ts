import type { EntryForm } from "../cache/entry-form.ts";
import type { EntryStore } from "../cache/entry-store.ts";
import { claimName } from "../cache/turn.ts";
import type { Clock } from "../lib/clock.ts";
import { MARKER_KEY, MARKER_TTL_SECONDS, MOST_PURGES, PURGE_LASTS_MS, renderMarker, type Purge } from "./marker.ts";
import { readMarker } from "./watch.ts";

const CLAIM_MS = 5_000;
const PAUSE_MS = 200;
const TRIES = 50;

export type OrderOutcome =
  /** `replaced`: why the marker that was there could not be read; what it said is lost to instances that start from now on. */
  | { readonly kind: "ordered"; readonly replaced?: string }
  | { readonly kind: "unavailable" }
  /** Somebody else is at it, for ten seconds already. */
  | { readonly kind: "busy" }
  /** There are as many purges of the last hour as a marker holds. */
  | { readonly kind: "full" };

export interface OrderOptions {
  readonly store: EntryStore;
  readonly form: EntryForm;
  readonly clock: Clock;
  /** Unique and unguessable. */
  readonly owner: string;
}

/** Adds a purge to the marker, one at a time across all who order one. Throws what sealing throws. */
export async function orderPurge(purge: Purge, { store, form, clock, owner }: OrderOptions): Promise<OrderOutcome> {
  const key = form.storageKey(MARKER_KEY);
  const name = claimName(key);
  for (let tries = 0; tries < TRIES; tries++) {
    const claim = await store.claim(name, owner, CLAIM_MS);
    if (claim === "unavailable") return { kind: "unavailable" };
    if (claim === "won") {
      try {
        return await add(purge);
      } finally {
        await store.release(name, owner);
      }
    }
    await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve));
  }
  return { kind: "busy" };

  async function add(added: Purge): Promise<OrderOutcome> {
    const read = await readMarker(store, form);
    if (read.kind === "unavailable") return read;
    const before = read.kind === "marker" ? read.purges : [];
    const purges = [...before.filter((one) => isNeeded(one, added, clock.nowMs())), added];
    if (purges.length > MOST_PURGES) return { kind: "full" };
    const isWritten = await store.write(key, form.seal(MARKER_KEY, renderMarker(purges)), MARKER_TTL_SECONDS);
    if (!isWritten) return { kind: "unavailable" };
    return { kind: "ordered", ...(read.kind === "unreadable" ? { replaced: read.why } : {}) };
  }
}

/** Not when all that it takes back has ended, or is taken back by the new one too. */
function isNeeded(old: Purge, added: Purge, nowMs: number): boolean {
  if (old.issuedBeforeEpochSeconds * 1000 <= nowMs - PURGE_LASTS_MS) return false;
  const isCovered = added.scope.kind === "all" || Bun.deepEquals(added.scope, old.scope);
  return !isCovered || old.issuedBeforeEpochSeconds > added.issuedBeforeEpochSeconds;
}
