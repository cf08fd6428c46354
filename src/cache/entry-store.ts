/** The time that one request may still spend waiting for the store, over all of its commands. */
export interface StoreBudget {
  leftMs: number;
}

export type EntryRead =
  /** `ttlMs` is absent when the entry never expires. */
  | { readonly kind: "hit"; readonly value: Uint8Array; readonly ttlMs?: number }
  | { readonly kind: "miss" }
  | { readonly kind: "wrong-type" }
  /** Nothing is known about the key. */
  | { readonly kind: "unavailable" };

/**
 * A server that several instances share, as far as the cache needs one. No method rejects because of the server, and none takes
 * longer than its budget; without one it has a budget of its own.
 */
export interface EntryStore {
  budget(): StoreBudget;
  /** Value and time to live in one round trip. */
  read(key: string, budget?: StoreBudget): Promise<EntryRead>;
  /** False when the value is not known to be stored. */
  write(key: string, value: string, ttlSeconds: number, budget?: StoreBudget): Promise<boolean>;
  /** False when the key is not known to be gone. */
  remove(key: string, budget?: StoreBudget): Promise<boolean>;
  /** Takes a name for a time, unless somebody has it. */
  claim(name: string, owner: string, ttlMs: number, budget?: StoreBudget): Promise<"won" | "taken" | "unavailable">;
  /** Gives a claim back if it is still this owner's. */
  release(name: string, owner: string): Promise<void>;
}
