import { describe, expect, test } from "bun:test";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeKeysetBinary } from "../../../src/tink/keyset-binary.ts";
import { parseCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import { captureOutput, runCaptured } from "../../support/command-io.ts";
import { useKeysetFolder } from "../../support/keyset-folder.ts";

const place = useKeysetFolder();

const keyset = (...argv: string[]) => runCaptured(["keyset", ...argv, "--file", place.file]);
const keysetJson = async (...argv: string[]) => JSON.parse((await keyset(...argv, "--format", "json")).out);
const list = () => keysetJson("list");

describe("keyset", () => {
  test("create makes a keyset of one AES256_GCM key, readable by its owner alone", async () => {
    const { code, err } = await keyset("create");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(await list()).toEqual({
      primaryKeyId: expect.any(Number),
      keys: [{ keyId: expect.any(Number), status: "ENABLED", type: "AES256_GCM", outputPrefix: "TINK", primary: true }],
    });
    expect((await stat(place.file)).mode & 0o777).toBe(0o600);
  });

  test("create does not overwrite a keyset unless told to", async () => {
    await keyset("create");
    const before = await readFile(place.file, "utf8");
    const { code, err } = await keyset("create");
    expect(code).toBe(1);
    expect(err).toContain("holds something already; nothing was written");
    expect(err).toContain("--replace");
    expect(await readFile(place.file, "utf8")).toBe(before);
    expect((await keyset("create", "--replace")).code).toBe(0);
    expect(await readFile(place.file, "utf8")).not.toBe(before);
  });

  test("a key's life: added, promoted, the old one disabled, enabled, deleted", async () => {
    await keyset("create");
    const [{ keyId: old }] = (await list()).keys;
    const { keyId: fresh } = await keysetJson("add-key");
    expect((await list()).primaryKeyId).toBe(old);
    expect((await keyset("promote-key", String(fresh))).code).toBe(0);
    expect((await list()).primaryKeyId).toBe(fresh);
    await keyset("disable-key", String(old));
    expect((await list()).keys.map((key: any) => key.status)).toEqual(["DISABLED", "ENABLED"]);
    await keyset("enable-key", String(old));
    expect((await list()).keys.map((key: any) => key.status)).toEqual(["ENABLED", "ENABLED"]);
    await keyset("delete-key", String(old), "--yes");
    expect((await list()).keys).toHaveLength(1);
    expect((await keyset("verify")).code).toBe(0);
  });

  test.each(["disable-key", "delete-key", "destroy-key"])(
    "%s refuses the primary key and writes nothing",
    async (command) => {
      await keyset("create");
      const before = await readFile(place.file, "utf8");
      const { primaryKeyId } = await list();
      const { code, err } = await keyset(
        command,
        String(primaryKeyId),
        ...(command === "disable-key" ? [] : ["--yes"]),
      );
      expect(code).toBe(1);
      expect(err).toContain(`key ${primaryKeyId}`);
      expect(await readFile(place.file, "utf8")).toBe(before);
    },
  );

  test.each(["delete-key", "destroy-key"])(
    "%s asks first, and without a terminal --yes is required",
    async (command) => {
      await keyset("create");
      const { keyId } = await keysetJson("add-key");
      expect((await keyset(command, String(keyId))).code).toBe(2);
      const answered = (answer: string) =>
        runCaptured(["keyset", command, String(keyId), "--file", place.file], { answer });
      expect((await answered("n")).code).toBe(1);
      expect((await list()).keys).toHaveLength(2);
      expect((await answered("y")).code).toBe(0);
    },
  );

  test("--dry-run shows the outcome and writes nothing", async () => {
    await keyset("create");
    const before = await readFile(place.file, "utf8");
    for (const argv of [["add-key"], ["rotate"], ["create", "--replace"], ["rotate", "--compromised"]]) {
      const { code, out } = await keyset(...argv, "--dry-run", "--format", "json");
      expect(code).toBe(0);
      expect(JSON.parse(out).written).toBe(false);
    }
    expect(await readFile(place.file, "utf8")).toBe(before);
  });

  test("rotate takes a step, refuses one that is early, and --now takes it all the same", async () => {
    await keyset("create");
    expect(await keysetJson("rotate")).toMatchObject({ written: true, was: "settled", is: "added", finished: false });
    const early = await keyset("rotate");
    expect(early.code).toBe(1);
    expect(early.err).toContain("It is early: promoting it in");
    expect(await keysetJson("rotate", "--now")).toMatchObject({ was: "added", is: "promoted" });
    expect(await keysetJson("rotate", "--now")).toMatchObject({ was: "promoted", is: "settled", finished: true });
    expect((await list()).keys.map((key: any) => [key.status, key.primary])).toEqual([
      ["DISABLED", false],
      ["ENABLED", true],
    ]);
  });

  test("rotate --compromised leaves one new key in use and says what it costs", async () => {
    await keyset("create");
    const { primaryKeyId } = await list();
    const { code, out } = await keyset("rotate", "--compromised", "--yes");
    expect(code).toBe(0);
    expect(out).toContain(`entries sealed under ${primaryKeyId} are misses`);
    expect((await list()).keys.map((key: any) => key.status)).toEqual(["DISABLED", "ENABLED"]);
  });

  test("import takes over tinkey's clear keyset and advises to remove the file", async () => {
    const source = join(place.folder, "tinkey.json");
    await runCaptured(["keyset", "create", "--file", source]);
    const { code, err } = await keyset("import", source);
    expect(code).toBe(0);
    expect(err).toContain("holds the keys in clear: remove it");
    expect(await readFile(place.file, "utf8")).toBe(await readFile(source, "utf8"));
  });

  test("import takes over a binary one, as --out-format binary writes it", async () => {
    const source = join(place.folder, "tinkey.json");
    const binary = join(place.folder, "tinkey.bin");
    await runCaptured(["keyset", "create", "--file", source]);
    await writeFile(binary, writeKeysetBinary(parseCleartextKeyset(await readFile(source))));
    const { code, err } = await keyset("import", binary);
    expect(code).toBe(0);
    expect(err).toContain("holds the keys in clear: remove it");
    expect(await readFile(place.file, "utf8")).toBe(await readFile(source, "utf8"));
  });

  test.each([
    ["nothing", new Uint8Array(), "there is nothing in it"],
    ["text", Buffer.from("not a keyset"), "not a JSON document"],
    ["half a binary keyset", Uint8Array.of(0x08, 0x2a, 0x12, 0x40, 0x0a), "truncated"],
    ["an encrypted one, with nothing to open it", Uint8Array.of(0x12, 2, 1, 2), "no KMS key is given"],
    ["over a mebibyte", new Uint8Array(1024 * 1024 + 1).fill(0x20), "over 1048576 bytes"],
  ])("import of %s is refused with one line, and nothing is written", async (_what, bytes, reason) => {
    const source = join(place.folder, "foreign");
    await writeFile(source, bytes);
    const { code, out, err } = await keyset("import", source);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err.split("\n")[0]).toContain(reason);
    expect((await keyset("list")).err).toContain("is missing or empty");
  });

  test.each([
    ["no JSON", "not a keyset"],
    ["no keyset", `{"a":1}`],
    ["nothing", ""],
    ["a keyset whose primary is disabled", undefined],
  ])("verify refuses %s with the step and without a key byte", async (_what, text) => {
    await keyset("create");
    const good = await readFile(place.file, "utf8");
    await writeFile(place.file, text ?? good.replace("ENABLED", "DISABLED"));
    const { code, out, err } = await keyset("verify");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^error: keyset, step (?:file|keyset): /);
    expect(err).not.toContain(JSON.parse(good).key[0].keyData.value);
  });

  test.each([["x"], ["-1"], ["4294967296"], ["1.5"], [""]])("a key id of %p is a usage error", async (id) => {
    expect((await runCaptured(["keyset", "promote-key", "--file", place.file, "--", id])).code).toBe(2);
  });

  test("without a place it says how to name one", async () => {
    const { code, err } = await runCaptured(["keyset", "list"]);
    expect(code).toBe(2);
    expect(err).toContain("give --file PATH");
  });

  test("the environment names the place when the command line does not", async () => {
    await keyset("create");
    expect(
      (await runCaptured(["keyset", "list"], { environment: { CACHE_ENCRYPTION_KEYSET_FILE: place.file } })).code,
    ).toBe(0);
  });

  test("a terminal gets a table with a header, a pipe a line for each key", async () => {
    await keyset("create");
    const terminal = captureOutput("plain terminal");
    await runCaptured(["keyset", "list", "--file", place.file], { out: terminal });
    expect(terminal.text()).toStartWith("KEY ID");
    expect((await keyset("list")).out.trim().split("\n")).toHaveLength(1);
  });

  test.each(["create", "add-key", "rotate", "rotate --compromised --yes"])(
    "%s with a template that is none is a usage error, and names the nearest",
    async (command) => {
      const { code, err } = await keyset(...command.split(" "), "--template", "AES256_GMC");
      expect({ code, err }).toEqual({
        code: 2,
        err: "error: --template names no kind of key that there is\ndid you mean AES256_GCM?\n",
      });
    },
  );

  test.each([
    ["no keyset", '{"key":"AAAA"}', "name a keyset that tinkey or this command wrote"],
    ["an encrypted one", '{"encryptedKeyset":"AAAA"}', "keyset import also an encrypted one"],
  ])("a file that holds %s is not told to be out of reach", async (_what, content, advice) => {
    await writeFile(place.file, content);
    const { code, err } = await keyset("verify");
    expect({ code, lines: err.split("\n").length }).toEqual({ code: 1, lines: 3 });
    expect(err).toContain("[keyset-refused]");
    expect(err).toContain(advice);
    expect(err).not.toContain("check the path");
  });

  test("a refused edit says what to do instead", async () => {
    await keyset("create");
    const { err } = await keyset("disable-key", String((await list()).primaryKeyId));
    expect(err).toEndWith("chinmina-bridge keyset promote-key makes another key the primary one\n");
  });

  test("reads no more of a file without end than a keyset can have", async () => {
    const { code, err } = await runCaptured(["keyset", "verify", "--file", "/dev/zero"]);
    expect(code).toBe(1);
    expect(err).toContain("over 1048576 bytes");
  });

  test("create names the file that a writer left behind when it died", async () => {
    await writeFile(`${place.file}.new`, "");
    const { code, err } = await keyset("create");
    expect(code).toBe(1);
    expect(err).toContain("while its .new is there");
  });

  test("verify counts one key as one", async () => {
    await keyset("create");
    expect((await keyset("verify")).out).toContain(": 1 key, primary");
  });

  test("no command prints a byte of a key", async () => {
    await keyset("create");
    const outputs = [];
    for (const argv of [
      ["list"],
      ["add-key"],
      ["rotate", "--now"],
      ["verify"],
      ["rotate", "--compromised", "--yes"],
      ["create", "--replace"],
    ]) {
      const secrets = JSON.parse(await readFile(place.file, "utf8")).key.map((key: any) => key.keyData.value);
      const { out, err } = await keyset(...argv);
      const after = JSON.parse(await readFile(place.file, "utf8")).key.map((key: any) => key.keyData.value);
      outputs.push(out, err);
      for (const secret of [...secrets, ...after]) expect(outputs.join("")).not.toContain(secret.slice(4, 20));
    }
  });
});
