import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulator } from "../../../src/simulator/simulator.ts";
import { BINARY, runProgram } from "../../support/program.ts";
import { DOCUMENTED_ACCESS } from "../../support/valkey/real-server.ts";

const guide = readFileSync(join(import.meta.dir, "../../../docs/valkey.md"), "utf8");
const blocks = [...guide.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, text = ""]) => text);
const settings = blocks
  .filter((text) => text.split("\n").every((line) => line === "" || /^[A-Z_]+=\S+$/.test(line)))
  .map((text) =>
    Object.fromEntries(
      text
        .trim()
        .split("\n")
        .map((line) => line.split("=") as [string, string]),
    ),
  );

describe("docs/valkey.md", () => {
  test.each([
    ["a serverless cache", 0],
    ["a server of one's own", 1],
  ])("its settings for %s are a configuration that the binary takes", async (_what, index) => {
    const folder = mkdtempSync(join(tmpdir(), "guide-"));
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, "secret\n", { mode: 0o600 });
    await using simulator = await startSimulator();
    const { VALKEY_PASSWORD_FILE, ...rest } = settings[index] ?? {};
    const file = VALKEY_PASSWORD_FILE === undefined ? {} : { VALKEY_PASSWORD_FILE: passwordFile };
    const environment = { ...simulator.environment(), ...rest, ...file };
    const { code, err } = await runProgram([BINARY], ["config", "check"], { environment });
    rmSync(folder, { recursive: true });
    expect({ code, problems: err.split("\n").filter((line) => line.startsWith("error")) }).toEqual({
      code: 0,
      problems: [],
    });
    expect(settings).toHaveLength(2);
  });

  test("gives the same permissions wherever it gives some, and the library's policy", () => {
    const given = [...guide.matchAll(/on (~\* -@all [^"\n]*)/g)].map(([, access]) => access);
    expect(given).toEqual([DOCUMENTED_ACCESS, DOCUMENTED_ACCESS]);
    expect(guide).toContain('"Action": "elasticache:Connect"');
  });
});
