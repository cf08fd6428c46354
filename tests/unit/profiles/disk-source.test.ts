import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDiskSource } from "../../../src/profiles/disk-source.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const signal = new AbortController().signal;
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "profiles-"));
  path = join(folder, "profiles.yaml");
});
afterEach(() => rm(folder, { recursive: true }));

function createWatched() {
  const clock = createFixedClock();
  const source = createDiskSource({ path, clock });
  let changes = 0;
  const cancel = source.watch!(() => void changes++);
  /** Lets one poll happen and waits until the next one is scheduled. */
  const poll = async (): Promise<number> => {
    clock.advance(1_000);
    while (clock.pending() === 0) await new Promise((resolve) => setImmediate(resolve));
    return changes;
  };
  return { clock, source, cancel, poll };
}

describe("the disk source", () => {
  test("reads the file's bytes, a byte-order mark included, and says when they are unchanged", async () => {
    await writeFile(path, "\uFEFFpipeline:\n");
    const source = createDiskSource({ path, clock: createFixedClock() });
    const first = await source.fetch({ signal });
    if (first.kind === "unchanged") throw new Error("unchanged");
    expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(first.bytes)).toBe("\uFEFFpipeline:\n");
    expect(await source.fetch({ signal, previousEtag: first.etag! })).toEqual({ kind: "unchanged" });
    await writeFile(path, "");
    expect(await source.fetch({ signal, previousEtag: first.etag! })).toMatchObject({
      kind: "file",
      bytes: new Uint8Array(),
    });
  });

  test("follows a link, as mounted configuration is one", async () => {
    await writeFile(join(folder, "real.yaml"), "pipeline:\n");
    await symlink("real.yaml", path);
    expect((await createDiskSource({ path, clock: createFixedClock() }).fetch({ signal })).kind).toBe("file");
  });

  test("rejects what is missing, a folder, a named pipe without waiting for its writer, and what is too large", async () => {
    const fetchNow = () => createDiskSource({ path, clock: createFixedClock() }).fetch({ signal });
    const failure = async () => fetchNow().catch((error: unknown) => (error instanceof Error ? error.message : ""));
    expect(await failure()).toEndWith("ENOENT");
    await mkdir(path);
    expect(await failure()).toEndWith("not a regular file");
    await rm(path, { recursive: true });
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
    expect(await failure()).toEndWith("not a regular file");
    await rm(path);
    await writeFile(path, new Uint8Array(1024 * 1024 + 1).fill(0x23));
    expect(await failure()).toContain("larger than");
    await writeFile(path, new Uint8Array(1024 * 1024).fill(0x23));
    expect((await fetchNow()).kind).toBe("file");
  });

  test("sees a change of content within a second, and only then calls", async () => {
    await writeFile(path, "a: 1\n");
    const { source, poll } = createWatched();
    await source.fetch({ signal });
    expect(await poll()).toBe(0);
    await writeFile(path, "a: 1\n");
    expect(await poll()).toBe(0);
    await writeFile(path, "a: 2\n");
    expect(await poll()).toBe(1);
    expect(await poll()).toBe(1);
  });

  test("sees a change that keeps size and time, a rename, a removal and a return", async () => {
    await writeFile(path, "a: 1\n");
    const { atime, mtime } = await stat(path);
    const { source, poll } = createWatched();
    await source.fetch({ signal });
    await writeFile(path, "a: 2\n");
    await utimes(path, atime, mtime);
    expect(await poll()).toBe(1);
    await writeFile(join(folder, "new.yaml"), "a: 3\n");
    await rename(join(folder, "new.yaml"), path);
    expect(await poll()).toBe(2);
    await rm(path);
    expect(await poll()).toBe(3);
    expect(await poll()).toBe(3);
    await writeFile(path, "a: 3\n");
    expect(await poll()).toBe(4);
  });

  test("stops looking when it is told to", async () => {
    await writeFile(path, "a: 1\n");
    const { clock, cancel } = createWatched();
    cancel();
    expect(clock.pending()).toBe(0);
  });
});
