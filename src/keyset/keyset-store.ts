import type { Keyset } from "../tink/keyset.ts";

/** A place that holds one keyset, with compare-and-swap. */
export interface KeysetStore {
  /** For messages: `secret NAME`, `file PATH`. */
  readonly name: string;
  /** What a failure of the place itself is a failure of. */
  readonly step: "secret" | "file";
  /** The most bytes the binary keyset may have. Absent: no limit. */
  readonly maxBinaryBytes?: number;
  /**
   * Reads and decrypts the keyset. Throws `KeysetFailure` that names the step, with `keyset-absent` when there is none, and
   * what `signal` was aborted with.
   */
  readonly read: (signal?: AbortSignal) => Promise<StoredKeyset>;
  /** What is there, without decrypting it: it may be broken and still has to be replaceable. Throws `KeysetFailure`. */
  readonly inspect: (signal?: AbortSignal) => Promise<StoreState>;
  /**
   * Puts `keyset` in the place of the version that was read; undefined: of nothing. `conflict`: that version is not the current one
   * any more, and nothing was changed. Throws `KeysetFailure`; then what was there is still in force.
   */
  readonly write: (
    keyset: Keyset,
    replaces: StoredVersion | undefined,
    signal?: AbortSignal,
  ) => Promise<"written" | "conflict">;
}

export interface StoredVersion {
  readonly versionId: string;
  /** By the clock of the store. */
  readonly createdAtEpochMs: number;
}

export interface StoreState {
  readonly version: StoredVersion | undefined;
  /** Nothing there that could be a keyset. */
  readonly isEmpty: boolean;
}

/** Disposing of it wipes the key bytes; aeads that were made from it go on working. */
export interface StoredKeyset extends StoredVersion, Disposable {
  readonly keyset: Keyset;
  /** False: the readable summary that lies beside the encrypted keyset tells something else than what was decrypted. */
  readonly summaryAgrees: boolean;
}
