import { createHash } from "node:crypto";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { readBeginning } from "../lib/read-beginning.ts";
import { locateReplaceableFile } from "../lib/replaceable-file.ts";
import { parseCleartextKeyset, writeCleartextKeyset } from "../tink/keyset-json.ts";
import { wipeKeyset, type Keyset } from "../tink/keyset.ts";
import { KeysetFailure } from "./keyset-failure.ts";
import type { KeysetStore, StoredVersion } from "./keyset-store.ts";
import { refusing } from "./unwrap-keyset.ts";

/** Some 7,000 keys. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * A cleartext keyset in a file, for development. Written through `PATH.new`, which only one writer can have, and put in place in
 * one step with mode 0600. A `PATH.new` that a dead writer left makes every write a conflict until it is removed.
 */
export function createFileKeysetStore(path: string): KeysetStore {
  const name = `file ${path}`;
  return {
    name,
    step: "file",
    read: async () => {
      const file = await readFile(path);
      if (file === undefined || isBlank(file.bytes)) {
        throw new KeysetFailure("keyset-absent", "file", `${name} is missing or empty`);
      }
      const keyset = refusing("file", name, () => parseCleartextKeyset(file.bytes));
      file.bytes.fill(0);
      return { keyset, summaryAgrees: true, ...file.version, [Symbol.dispose]: () => wipeKeyset(keyset) };
    },
    inspect: async () => {
      const file = await readFile(path);
      return { version: file?.version, isEmpty: file === undefined || isBlank(file.bytes) };
    },
    write: async (keyset, replaces) => await replaceFile(path, keyset, replaces),
  };
}

async function replaceFile(
  path: string,
  keyset: Keyset,
  replaces: StoredVersion | undefined,
): Promise<"written" | "conflict"> {
  const target = await locate(path);
  const temporary = `${target}.new`;
  const handle = await openExclusively(temporary);
  if (handle === undefined) return "conflict";
  try {
    if ((await readFile(path))?.version.versionId !== replaces?.versionId) {
      await rm(temporary);
      return "conflict";
    }
    await handle.writeFile(writeCleartextKeyset(keyset));
    await handle.sync();
    await rename(temporary, target);
    return "written";
  } catch (cause) {
    await rm(temporary, { force: true });
    throw unavailable(`writing ${path}`, cause);
  } finally {
    await handle.close();
  }
}

async function locate(path: string): Promise<string> {
  try {
    return await locateReplaceableFile(path);
  } catch (cause) {
    throw unavailable(`writing ${path}`, cause);
  }
}

async function openExclusively(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "wx", 0o600);
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return undefined;
    throw unavailable(`writing ${path}`, cause);
  }
}

/** Undefined: there is no such file. */
async function readFile(path: string): Promise<{ bytes: Uint8Array; version: StoredVersion } | undefined> {
  try {
    await using handle = await open(path, "r");
    const { mtimeMs } = await handle.stat();
    const bytes = await readBeginning(handle, MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) throw new Error(`over ${MAX_FILE_BYTES} bytes`);
    const versionId = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
    return { bytes, version: { versionId, createdAtEpochMs: mtimeMs } };
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw unavailable(`reading ${path}`, cause);
  }
}

/** Space, tab, line feed, carriage return: what JSON takes for nothing. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function unavailable(operation: string, cause: unknown): KeysetFailure {
  return new KeysetFailure("keyset-unavailable", "file", operation, { cause });
}
