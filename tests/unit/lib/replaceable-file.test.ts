import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { locateReplaceableFile } from "../../../src/lib/replaceable-file.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "replaceable-")));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

writeFileSync(at("file"), "");
mkdirSync(at("folder"));
Bun.spawnSync(["mkfifo", at("pipe")]);
symlinkSync("file", at("link"));
symlinkSync("pipe", at("link-to-pipe"));
symlinkSync("nothing", at("link-to-nothing"));
symlinkSync("loop", at("loop"));

describe("locateReplaceableFile()", () => {
  test.each([
    ["file", "file"],
    ["absent", "absent"],
    ["link", "file"],
  ])("a new content of %p belongs in %p", async (name, target) => {
    expect(await locateReplaceableFile(at(name))).toBe(at(target));
  });

  test.each([
    ["folder", "EISDIR"],
    ["pipe", "no regular file"],
    ["link-to-pipe", "no regular file"],
    ["link-to-nothing", "no regular file"],
    ["loop", "no regular file"],
  ])("nothing takes the place of %p", async (name, code) => {
    expect(await locateReplaceableFile(at(name)).catch((error: unknown) => error)).toMatchObject({ code });
  });

  // Only looked at: what fails here must not be written to.
  test("nothing takes the place of a device", async () => {
    expect(await locateReplaceableFile("/dev/null").catch((error: unknown) => error)).toMatchObject({
      code: "no regular file",
    });
  });
});
