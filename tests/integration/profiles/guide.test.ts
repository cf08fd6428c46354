import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { REMEDIES } from "../../../src/profiles/remedies.ts";
import { readBlocks, readCommands } from "../../support/guide.ts";
import { BINARY } from "../../support/program.ts";

const GUIDE = readFileSync(join(import.meta.dir, "../../../docs/profiles.md"), "utf8");
const blocks = readBlocks(GUIDE);

const CLAIMS = {
  pipeline_slug: "widget-release",
  pipeline_id: "0190046e-e199-453b-a302-a21a4d649d31",
  build_branch: "main",
  build_commit: "9f3182061f1e2cca4702c368cbc039b7dc9d4485",
  build_number: 42,
};

let folder = "";
let programs = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profiles-guide-"));
  programs = mkdtempSync(join(tmpdir(), "profiles-guide-programs-"));
  symlinkSync(BINARY, join(programs, "chinmina-bridge"));
  const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify(CLAIMS)).toString("base64url")}.c2lnbmF0dXJl`;
  const agent = join(programs, "buildkite-agent");
  writeFileSync(agent, `#!/bin/sh\necho ${token}\n`);
  chmodSync(agent, 0o755);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(programs, { recursive: true });
});

test("docs/profiles.md: every example is what the binary does, in their order", () => {
  let commands = 0;
  let status = 0;
  for (const { language, file, text } of blocks) {
    if (file !== undefined) write(file, text);
    if (language !== "console") continue;
    for (const { command, output } of readCommands(text)) {
      const result = sh(`exec 2>&1; (exit ${status}); ${command}`);
      status = result.status;
      expect({ command, output: result.out }).toEqual({ command, output });
      commands++;
    }
  }
  expect(commands).toBeGreaterThan(12);
});

test("docs/profiles.md: the Buildkite step's commands run, and the first that fails fails the step", () => {
  const { steps } = yamlOf(".buildkite/pipeline.yml");
  const [{ command }] = steps;
  const run = (policy: string, expected: string) => {
    write("profiles.yaml", policy);
    write("cases.yaml", `cases: [{profile: release, claims: {pipeline_slug: widget-release}, expect: ${expected}}]`);
    return sh(`set -e\n${command.join("\n")}`).status;
  };
  const policy = (permission: string, match = "[{claim: pipeline_slug, value: widget-release}]") =>
    `pipeline: {profiles: [{name: release, match: ${match}, permissions: [${permission}]}]}`;
  expect(run(policy("contents:write"), "granted")).toBe(0);
  expect(run(policy("contents:write"), "refused")).toBe(1);
  expect(run(policy("contents:wriet"), "unavailable")).toBe(1);
  // --strict
  expect(run(policy("contents:write", "[{claim: build_branch, value: main}]"), "refused")).toBe(1);
});

test("docs/profiles.md: what it shows of pre-commit names a hook that there is, with options that there are", () => {
  const [{ hooks }] = yamlOf(".pre-commit-config.yaml").repos;
  const offered: any = Bun.YAML.parse(readFileSync(join(import.meta.dir, "../../../.pre-commit-hooks.yaml"), "utf8"));
  for (const { id, args } of hooks) {
    const hook = offered.find((one: any) => one.id === id);
    expect("profiles.yaml").toMatch(new RegExp(hook.files));
    expect("policy/profiles.yml").toMatch(new RegExp(hook.files));
    expect("my-profiles.yaml").not.toMatch(new RegExp(hook.files));
    write("profiles.yaml", "pipeline: {}\n");
    const entry = join(import.meta.dir, "../../..", hook.entry);
    expect(sh(`${entry} ${args.join(" ")} profiles.yaml`)).toEqual({
      status: 0,
      out: "No problems in 1 file: 0 pipeline profiles, 0 organization profiles\n",
    });
  }
});

test("docs/profiles.md: its tables have every code once, with the words that the program says", () => {
  const rows = Array.from(GUIDE.matchAll(/^\| `([a-z0-9-]+)` +\| (.+?) +\| (.+?) +\|$/gm), ([, code, , remedy]) => [
    code,
    remedy,
  ]);
  expect(rows).toHaveLength(Object.keys(REMEDIES).length);
  expect(Object.fromEntries(rows)).toEqual({ ...REMEDIES });
});

function write(file: string, text: string): void {
  mkdirSync(join(folder, dirname(file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

function sh(script: string): { readonly status: number; readonly out: string } {
  const { exitCode, stdout } = Bun.spawnSync(["sh", "-c", script], {
    cwd: folder,
    env: { PATH: `${programs}:/usr/bin:/bin` },
  });
  return { status: exitCode, out: stdout.toString() };
}

function yamlOf(file: string): any {
  const block = blocks.find((one) => one.file === file);
  if (block === undefined) throw new Error(`the guide has no ${file}`);
  return Bun.YAML.parse(block.text);
}
