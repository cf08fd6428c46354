import type { EntryStore } from "../cache/entry-store.ts";
import type { PurgeWatch } from "./watch.ts";

/**
 * The store, whose entries are not to be had while the marker is not known: after a start, and after the store was out of reach, the
 * marker comes first. In between this costs nothing.
 */
export function guardReads(store: EntryStore, watch: Pick<PurgeWatch, "isCurrent">): EntryStore {
  return {
    budget: () => store.budget(),
    read: async (key, budget = store.budget()) =>
      (await watch.isCurrent(budget)) ? store.read(key, budget) : { kind: "unavailable" },
    write: (...args) => store.write(...args),
    remove: (...args) => store.remove(...args),
    claim: (...args) => store.claim(...args),
    release: (...args) => store.release(...args),
  };
}
