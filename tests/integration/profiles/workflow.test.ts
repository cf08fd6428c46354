import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBlocks } from "../../support/guide.ts";

const ROOT = join(import.meta.dir, "../../..");
const WORKFLOW: any = Bun.YAML.parse(readFileSync(join(ROOT, ".github/workflows/check-profiles.yml"), "utf8"));
const { inputs } = WORKFLOW.on.workflow_call;
const { steps } = WORKFLOW.jobs.check;

let workspace = "";
beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), "workflow-"));
  mkdirSync(join(workspace, "policy"));
  symlinkSync(ROOT, join(workspace, "bridge"));
});
afterAll(() => rmSync(workspace, { recursive: true }));

const GOOD = "pipeline: {profiles: [{name: p, app: writer, permissions: [contents:read]}]}\n";
const DANGEROUS = "pipeline: {defaults: {permissions: [contents:write]}}\n";
const CASE = "cases: [{profile: repo:default, claims: {pipeline_slug: widget}, expect: granted}]\n";

describe("the workflow that policy repositories call", () => {
  test("is called in the guide with inputs that it has, and all that it needs", () => {
    const guide = readFileSync(join(ROOT, "docs/profiles.md"), "utf8");
    const block = readBlocks(guide).find(({ file }) => file === ".github/workflows/profiles.yaml");
    const { uses, with: given } = (Bun.YAML.parse(block?.text ?? "") as any).jobs.profiles;
    expect(uses).toContain("/.github/workflows/check-profiles.yml@");
    for (const [name, { type }] of Object.entries<any>(inputs)) {
      if (name in given) expect([name, typeof given[name]]).toEqual([name, type]);
    }
    expect(Object.keys(given).filter((name) => !(name in inputs))).toEqual([]);
    const required = Object.keys(inputs).filter((name) => inputs[name].required === true);
    expect(required.filter((name) => !(name in given))).toEqual([]);
    expect(uses.split("@")[1]).toBe(given["bridge-commit"]);
  });

  test("may read alone, keeps no credentials, and pins what it uses by commit", () => {
    expect(WORKFLOW.permissions).toEqual({ contents: "read" });
    for (const { uses, with: given } of steps.filter((step: any) => step.uses !== undefined)) {
      expect(uses).toMatch(/@[0-9a-f]{40}$/);
      expect(given["persist-credentials"]).toBe(false);
    }
  });

  test("puts no input into the text of a script", () => {
    for (const { run } of steps) expect(run ?? "").not.toContain("${{");
  });

  test("builds what it has checked out", () => {
    expect(runStep("Build", {})).toEqual({ status: 0, out: expect.stringMatching(/^chinmina-bridge \d/) });
  });

  test.each([
    ["a good file", GOOD, {}, 0, ""],
    ["Apps that there are", GOOD, { apps: "writer" }, 0, ""],
    [
      "Apps among which one is missing",
      GOOD,
      { apps: "reader" },
      1,
      "::error file=profiles.yaml,line=1,col=38,title=unusable-app::",
    ],
    ["a dangerous file", DANGEROUS, {}, 0, "::warning file=profiles.yaml,line=1,col=37,title=write-without-rule::"],
    ["a dangerous file, strictly", DANGEROUS, { strict: true }, 1, "::warning file=profiles.yaml"],
    ["a path that would be a command of its own", GOOD, { profiles: "nowhere; exit 0" }, 1, ""],
  ])("checks: %s", (_, policy, given, status, output) => {
    writeFileSync(join(workspace, "policy/profiles.yaml"), policy);
    const result = runStep("Check", given);
    expect(result.status).toBe(status);
    expect(result.out).toStartWith(output);
  });

  test.each([
    ["granted", 0],
    ["refused", 1],
  ])("tests: a case that expects %s ends with %i", (expected, status) => {
    writeFileSync(join(workspace, "policy/profiles.yaml"), GOOD);
    writeFileSync(join(workspace, "policy/cases.yaml"), CASE.replace("granted", expected));
    expect(runStep("Test", { cases: "cases.yaml", apps: "writer" }).status).toBe(status);
    expect(steps.find(({ name }: any) => name === "Test").if).toBe("inputs.cases != ''");
  });
});

/** A step as GitHub runs it: `bash -e`, with the variables that its expressions come to. */
function runStep(name: string, given: Readonly<Record<string, unknown>>) {
  const step = steps.find((one: any) => one.name === name);
  const value = (expression: string): string => {
    const input = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(expression)?.[1];
    if (input !== undefined) return String(given[input] ?? inputs[input].default);
    if (expression === "${{ github.event.repository.name }}") return "policy";
    throw new Error(`unknown expression ${expression}`);
  };
  const variables = Object.entries<string>(step.env ?? {}).map(([key, text]) => [key, value(text)] as const);
  const { exitCode, stdout } = Bun.spawnSync(["bash", "-e", "-c", step.run], {
    cwd: join(workspace, step["working-directory"] ?? ""),
    env: { PATH: process.env["PATH"] ?? "", ...Object.fromEntries(variables) },
  });
  return { status: exitCode, out: stdout.toString() };
}
