import type { Cancel } from "../lib/clock.ts";

/** Where the profile file is read from. Deadlines and limits of the reading are the source's own. */
export interface ProfileFileSource {
  /**
   * Reads the file. `unchanged` only in answer to a `previousEtag`, and only when the file is what carried it.
   * Rejects when it cannot be read whole: a part of it, or nothing in its place, is never an answer.
   */
  readonly fetch: (request: ProfileFileRequest) => Promise<ProfileFileReply>;
  /** Calls `changed` when a refresh would find something else than the last one. Absent: only asking tells. */
  readonly watch?: (changed: () => void) => Cancel;
}

export interface ProfileFileRequest {
  readonly previousEtag?: string;
  readonly signal: AbortSignal;
}

export type ProfileFileReply =
  | { readonly kind: "unchanged" }
  | { readonly kind: "file"; readonly bytes: Uint8Array<ArrayBuffer>; readonly etag?: string };
