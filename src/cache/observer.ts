import type { UnusedKind } from "./entry-codec.ts";

/** One look, store or removal in one level; `error`: nothing is known to have come of it. */
export interface CacheOperation {
  readonly level: "memory" | "valkey";
  readonly operation: "get" | "set" | "invalidate";
  readonly status: "hit" | "miss" | "success" | "error";
  /** Absent for memory, where reading a clock would cost as much as the look. */
  readonly durationMs?: number;
}

export interface CipherOperation {
  readonly operation: "encrypt" | "decrypt";
  readonly outcome: "success" | "error";
  readonly durationMs: number;
}

/**
 * How a renewal ended: a new value, one that another instance has made meanwhile, nobody could be asked, a refusal that puts an end to
 * what was held, or any other failure, which does so too.
 */
export type RenewalOutcome = "renewed" | "adopted" | "outage" | "refused" | "failed";

/** Told of what is worth counting. Nothing here may throw, nor take long: a memory hit is reported on the path of a request. */
export interface CacheObserver {
  readonly operated: (operation: CacheOperation) => void;
  readonly ciphered: (operation: CipherOperation) => void;
  /** A stored entry was read and is not used: a miss. */
  readonly unused: (why: UnusedKind) => void;
  readonly renewal?: (outcome: RenewalOutcome) => void;
}
