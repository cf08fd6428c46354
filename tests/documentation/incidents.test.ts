import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { VendedToken } from "../../src/token/vended-token.ts";
import { runCaptured } from "../support/command-io.ts";

const page = await Bun.file(join(import.meta.dir, "../../docs/incidents.md")).text();
const shell = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? "");
const commands = shell.flatMap((block) => block.split("\n").filter((line) => line.startsWith("chinmina-bridge ")));
const APPS = JSON.stringify([
  { name: "packages", appId: 3, installationId: 4, privateKeyArn: "arn:aws:kms:us-east-1:123456789012:alias/packages" },
]);
/** Nobody listens there: what gets as far as this has been understood. */
const ENVIRONMENT = {
  CACHE_TYPE: "valkey",
  VALKEY_ADDRESS: "localhost:1",
  VALKEY_TLS: "false",
  GITHUB_APP_ID: "1",
  GITHUB_APP_INSTALLATION_ID: "2",
  GITHUB_APPS: APPS,
};

describe("docs/incidents.md", () => {
  test("has a command for each scope", () => {
    const options = commands.map((line) => line.split(" ")[2]);
    expect(new Set(options)).toEqual(new Set(["--pipeline", "--profile", "--app", "--all"]));
  });

  test.each(commands)("%s is understood", async (line) => {
    const { code, err } = await runCaptured(line.split(" ").slice(1), { environment: ENVIRONMENT });
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("valkey: refused") });
  });

  test("makes the hash that audit entries have", () => {
    const recipe = shell.find((block) => block.includes("openssl")) ?? "";
    const script = `${recipe.split("\n")[0]}; printf %s "$HASH"`;
    const { stdout } = spawnSync("sh", ["-c", script], { encoding: "utf8", env: { ...process.env, TOKEN: "ghs_x" } });
    expect(stdout).toBe(new VendedToken("ghs_x", 0, "").tokenSha256Base64);
  });
});
