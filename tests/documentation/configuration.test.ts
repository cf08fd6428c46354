import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

test("docs/configuration.md is what src/config says", () => {
  const script = fileURLToPath(new URL("../../scripts/generate-configuration.ts", import.meta.url));
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, script, "--check"]);
  expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
});
