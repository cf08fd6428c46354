import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INSTALL_TIMEOUT_MS, startEmulator, type Emulator } from "../../support/emulators.ts";
import { BINARY } from "../../support/program.ts";
import { installPythonTools } from "../../support/python-tools.ts";

const DOCS = join(import.meta.dir, "../../../docs");
const SECRET = "/chinmina-bridge/production/tink-keyset";

/** What operators copy out of the guides, run by AWS's own command line. */
describe("the guides' commands", () => {
  let emulator: Emulator;
  let aws: string;
  let folder: string;

  beforeAll(async () => {
    aws = await installPythonTools("awscli", ["awscli==1.46.2"], "the guides' tests");
    emulator = await startEmulator("moto");
    folder = mkdtempSync(join(tmpdir(), "guides-"));
    mkdirSync(join(folder, "bin"));
    symlinkSync(BINARY, join(folder, "bin/chinmina-bridge"));
  }, 2 * INSTALL_TIMEOUT_MS);
  afterAll(async () => {
    await emulator[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  async function bash(script: string): Promise<{ code: number; out: string; err: string }> {
    const child = Bun.spawn(["bash", "-euo", "pipefail", "-c", script], {
      env: {
        PATH: `${join(folder, "bin")}:${aws}:${process.env["PATH"]}`,
        HOME: folder,
        AWS_ENDPOINT_URL: emulator.url,
        AWS_REGION: "us-east-1",
        AWS_DEFAULT_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "operator",
        AWS_SECRET_ACCESS_KEY: "s",
        AWS_PAGER: "",
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  }

  test("docs/encryption.md up to tinkey's part, from an empty account to a rotated keyset, and undone", async () => {
    const [ours = ""] = readFileSync(join(DOCS, "encryption.md"), "utf8").split("## With `aws` and `tinkey`");
    const script = shellBlocks(ours)
      .join("\n")
      .replace("NEW_KEY_ID", "$(key_id -1)")
      .replace("OLD_KEY_ID", "$(key_id 0)")
      .replace("PREVIOUS_VERSION_ID", "$(version AWSPREVIOUS)")
      .replace("CURRENT_VERSION_ID", "$(version AWSCURRENT)");
    const { code, out, err } = await bash(`
      key_id() { chinmina-bridge keyset list --format json | python3 -c "import json,sys; print(json.load(sys.stdin)['keys'][$1]['keyId'])"; }
      version() { aws secretsmanager get-secret-value --secret-id ${SECRET} --version-stage "$1" --query VersionId --output text; }
      set -a
      ${script}
      chinmina-bridge keyset list --format json`);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    // The one before the last change, `rotate --compromised`: a key promoted by hand, the first one disabled.
    const { keys } = JSON.parse(out.trim().split("\n").at(-1) ?? "");
    expect(keys.map(({ status, primary }: any) => `${status}${primary ? " primary" : ""}`)).toEqual([
      "DISABLED",
      "ENABLED",
      "ENABLED primary",
    ]);
  }, 120_000);

  // The emulator has no serverless caches: AWS's own command line checks the parameters, and asks nobody.
  test("docs/valkey.md: its ElastiCache commands are ones that AWS's command line takes", async () => {
    const commands = shellBlocks(readFileSync(join(DOCS, "valkey.md"), "utf8"))
      .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
      .filter((line) => line.startsWith("aws "));
    expect(commands).toHaveLength(4);
    for (const command of commands) {
      const { code, err } = await bash(`${command} --generate-cli-skeleton output`);
      expect({ command, code, err }).toEqual({ command, code: 0, err: "" });
      expect((await bash(`${command} --no-such-option --generate-cli-skeleton output`)).code).not.toBe(0);
    }
  }, 60_000);
});

function shellBlocks(text: string): readonly string[] {
  return [...text.matchAll(/^( *)```sh\n([^]*?)^ *```/gm)].map(([, indent = "", block = ""]) =>
    block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}
