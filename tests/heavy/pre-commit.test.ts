import { beforeAll, expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INSTALL_TIMEOUT_MS, installPythonTools } from "../support/python-tools.ts";

const ROOT = join(import.meta.dir, "../..");

let programs: string;
beforeAll(async () => {
  programs = await installPythonTools("pre-commit", ["pre-commit==4.7.0"], "the tests of .pre-commit-hooks.yaml");
}, INSTALL_TIMEOUT_MS);

test(
  "pre-commit builds the program from a fresh clone, checks the profile file alone, and fails for what is wrong",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "pre-commit-"));
    const bridge = join(folder, "bridge");
    const policy = join(folder, "policy");
    const git = (where: string, ...argv: string[]) =>
      run(["git", "-C", where, "-c", "user.name=t", "-c", "user.email=t@example.com", ...argv], where);
    // What git would clone, with what is not yet committed.
    const { out: names } = await run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT);
    for (const name of names.split("\0").filter((one) => one !== "")) cpSync(join(ROOT, name), join(bridge, name));
    await run(["git", "init", "-q", policy], folder);
    await git(bridge, "init", "-q");
    await git(bridge, "add", ".");
    await git(bridge, "commit", "-qm", "x");
    const rev = (await git(bridge, "rev-parse", "HEAD")).out.trim();
    const config = { repos: [{ repo: bridge, rev, hooks: [{ id: "check-profiles", args: ["--strict"] }] }] };
    writeFileSync(join(policy, ".pre-commit-config.yaml"), JSON.stringify(config));
    writeFileSync(join(policy, "other.yaml"), "neither: [YAML");
    // The plain runtime would run this.
    writeFileSync(join(policy, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    const check = async (text: string) => {
      writeFileSync(join(policy, "profiles.yaml"), text);
      await git(policy, "add", ".");
      return await run([join(programs, "pre-commit"), "run", "--all-files", "--color", "never"], policy, {
        PRE_COMMIT_HOME: join(folder, "home"),
      });
    };
    const good = await check("pipeline: {profiles: [{name: p, permissions: [contents:read]}]}\n");
    expect(good).toEqual({ code: 0, out: expect.stringMatching(/^check Chinmina Bridge profiles\.+Passed$/m) });
    const dangerous = await check("pipeline: {profiles: [{name: p, permissions: [contents:write]}]}\n");
    expect(dangerous.code).toBe(1);
    expect(dangerous.out).toContain("profiles.yaml:1:47: warning: no rule narrows who may have contents:write");
    expect(dangerous.out).toContain("1 warning in 1 file");
    rmSync(folder, { recursive: true });
  },
  INSTALL_TIMEOUT_MS,
);

async function run(command: readonly string[], cwd: string, environment: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...environment };
  const child = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const out = await child.stdout.text();
  return { code: await child.exited, out };
}
