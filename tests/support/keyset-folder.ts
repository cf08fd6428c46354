import { afterEach, beforeEach } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface KeysetFolder {
  readonly folder: string;
  /** Where a keyset goes; there is none yet. */
  readonly file: string;
}

/** A new folder for each test of the file that calls this, gone after it. What is returned has its paths while a test runs. */
export function useKeysetFolder(): KeysetFolder {
  const place = { folder: "", file: "" };
  beforeEach(async () => {
    place.folder = await mkdtemp(join(tmpdir(), "keyset-"));
    place.file = join(place.folder, "keyset.json");
  });
  afterEach(() => rm(place.folder, { recursive: true }));
  return place;
}
