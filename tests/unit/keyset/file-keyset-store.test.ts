import { afterAll, describe, expect, test } from "bun:test";
import { lstatSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addStoredKey } from "../../../src/keyset/edit-stored-key.ts";
import { createFileKeysetStore } from "../../../src/keyset/file-keyset-store.ts";
import { loadKeyset } from "../../../src/keyset/load-keyset.ts";
import { createStoredKeyset } from "../../../src/keyset/put-keyset.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { createMemoryKms } from "../../support/memory-keyset-parts.ts";
import { aes256, failureOf, keysetOf, sealedDocument } from "./world.ts";

const folder = mkdtempSync(join(tmpdir(), "keyset-"));
afterAll(() => rmSync(folder, { recursive: true }));

const put = { template: aes256, random: systemRandom, replace: false, dryRun: false };

function fileNamed(name: string): { path: string; tools: Parameters<typeof createStoredKeyset>[0] } {
  const path = join(folder, name);
  return { path, tools: { store: createFileKeysetStore(path), clock: systemClock, jitter: () => 0 } };
}

describe("a keyset in a file", () => {
  test("is created for its owner's eyes only, loaded and changed", async () => {
    const { path, tools } = fileNamed("keyset.json");
    await createStoredKeyset(tools, put);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const change = await addStoredKey(tools, put);
    expect((await loadKeyset(tools.store)).summary).toEqual(change.after);
    expect(await failureOf(createStoredKeyset(tools, put))).toMatchObject({ code: "keyset-exists", step: "file" });
  });

  test("is read again: another content is another version", async () => {
    const { tools } = fileNamed("reread.json");
    await createStoredKeyset(tools, put);
    const before = await loadKeyset(tools.store);
    await addStoredKey(tools, put);
    expect((await loadKeyset(tools.store)).versionId).not.toBe(before.versionId);
  });

  test("loses no change of two writers", async () => {
    const { path, tools } = fileNamed("contended.json");
    await createStoredKeyset(tools, put);
    const { store } = tools;
    let others = 1;
    const overtaken = {
      ...store,
      write: async (...written: Parameters<typeof store.write>) => {
        if (others-- > 0) await addStoredKey({ ...tools, store: createFileKeysetStore(path) }, put);
        return await store.write(...written);
      },
    };
    const change = await addStoredKey({ ...tools, store: overtaken }, put);
    expect(change.after.keys.length).toBe(3);
  });

  test("is written through a link, and never in place of what is no file", async () => {
    const { path, tools } = fileNamed("linked.json");
    symlinkSync("real.json", join(folder, "linked.json"));
    expect(await failureOf(createStoredKeyset(tools, put))).toMatchObject({ code: "keyset-unavailable", step: "file" });
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    writeFileSync(join(folder, "real.json"), "");
    await createStoredKeyset(tools, put);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect((await loadKeyset(tools.store)).summary.keys.length).toBe(1);
  });

  test("is not written while another writer is at it, or died at it", async () => {
    const { path, tools } = fileNamed("locked.json");
    await createStoredKeyset(tools, put);
    await Bun.write(`${path}.new`, "");
    using stored = await tools.store.read();
    expect(await tools.store.write(keysetOf(1), stored)).toBe("conflict");
  });
});

describe("a keyset file that cannot be used is refused in step file", () => {
  test.each([
    ["missing", undefined, "keyset-absent"],
    ["empty", "\n", "keyset-absent"],
    ["no JSON", "not json", "keyset-refused"],
    ["with a byte-order mark", "\uFEFF{}", "keyset-refused"],
    ["over a megabyte", " ".repeat(1024 * 1024 + 1), "keyset-unavailable"],
  ])("%s", async (name, content, code) => {
    const { path, tools } = fileNamed(`bad ${name}`);
    if (content !== undefined) await Bun.write(path, content);
    expect(await failureOf(loadKeyset(tools.store))).toMatchObject({ code, step: "file" });
  });

  test("an encrypted one, where a cleartext one belongs", async () => {
    const { path, tools } = fileNamed("encrypted.json");
    await Bun.write(path, await sealedDocument(createMemoryKms(), keysetOf(1)));
    expect(await failureOf(loadKeyset(tools.store))).toMatchObject({ code: "keyset-refused", step: "file" });
  });

  test("a folder", async () => {
    const { path, tools } = fileNamed("folder");
    await mkdir(path);
    expect(await failureOf(loadKeyset(tools.store))).toMatchObject({ code: "keyset-unavailable", step: "file" });
    const failure = await failureOf(tools.store.write(keysetOf(1), undefined));
    expect(failure).toMatchObject({ code: "keyset-unavailable", step: "file" });
  });
});
