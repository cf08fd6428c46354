import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { ProfileFileSource } from "./profile-file-source.ts";
import { MAX_PROFILE_FILE_BYTES } from "./source-text.ts";

/** A change is to be in force within two seconds. */
const POLL_MS = 1_000;

/**
 * Reads the file from disk, for development, and watches it by reading it every second: times and notifications of a file
 * system miss changes (an editor that renames, a mounted volume, two writes within one tick), its content does not.
 *
 * The ETag is a hash of the content. Rejects with `profile-file-unreadable` for what is missing, no regular file, or too large.
 */
export function createDiskSource(options: { readonly path: string; readonly clock: Clock }): ProfileFileSource {
  const { path, clock } = options;
  let lastSeen: string | undefined;

  return {
    fetch: async ({ previousEtag }) => {
      const seen = await look(path);
      lastSeen = seen.state;
      if (seen.bytes === undefined) throw new BridgeError("profile-file-unreadable", `read ${path}: ${seen.state}`);
      return seen.state === previousEtag
        ? { kind: "unchanged" }
        : { kind: "file", bytes: seen.bytes, etag: seen.state };
    },
    watch: (changed) => {
      let stopped = false;
      const poll = async (): Promise<void> => {
        const { state } = await look(path);
        if (stopped) return;
        if (state !== lastSeen) {
          lastSeen = state;
          changed();
        }
        cancel = clock.after(POLL_MS, () => void poll());
      };
      let cancel = clock.after(POLL_MS, () => void poll());
      return () => {
        stopped = true;
        cancel();
      };
    },
  };
}

interface Sight {
  /** The hash of the content, or why there is none. */
  readonly state: string;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

async function look(path: string): Promise<Sight> {
  try {
    // Without O_NONBLOCK opening a named pipe would wait for its writer, on a thread that all file access shares.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) return { state: "not a regular file" };
    const buffer = new Uint8Array(MAX_PROFILE_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.byteLength - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > MAX_PROFILE_FILE_BYTES) return { state: `larger than ${MAX_PROFILE_FILE_BYTES} bytes` };
    const bytes = buffer.slice(0, length);
    return { state: createHash("sha256").update(bytes).digest("hex"), bytes };
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    return { state: typeof code === "string" ? code : "unreadable" };
  }
}
