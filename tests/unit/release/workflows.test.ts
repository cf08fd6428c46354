import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { parse } from "yaml";

const FOLDER = join(import.meta.dir, "../../../.github/workflows");

const permissions = v.record(v.string(), v.string());
const stepSchema = v.object({
  uses: v.optional(v.string()),
  run: v.optional(v.string()),
  with: v.optional(v.record(v.string(), v.unknown()), {}),
});
const workflowSchema = v.object({
  on: v.record(v.string(), v.unknown()),
  permissions,
  jobs: v.record(v.string(), v.object({ uses: v.optional(v.string()), steps: v.optional(v.array(stepSchema), []) })),
});

const texts = readdirSync(FOLDER).map((name): [string, string] => [name, readFileSync(join(FOLDER, name), "utf8")]);
const workflows = texts.map(([name, text]): [string, v.InferOutput<typeof workflowSchema>] => [
  name,
  v.parse(workflowSchema, parse(text)),
]);

describe.each(texts)("the workflow %s", (_name, text) => {
  // A tag can be moved to other code; a commit cannot.
  test("names every foreign action by a commit, with its version beside it", () => {
    const uses = text.split("\n").filter((line) => /\buses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses) expect(line).toMatch(/uses: (?:\.\/|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/);
  });
});

describe.each(workflows)("the workflow %s", (_name, workflow) => {
  test("gives a job that asks for nothing no right but to read, and runs no change of a stranger with rights", () => {
    expect([{}, { contents: "read" }]).toContainEqual(workflow.permissions);
    expect(Object.keys(workflow.on)).not.toContain("pull_request_target");
    expect(Object.keys(workflow.on)).not.toContain("workflow_run");
  });

  test("leaves no credentials in the tree that it builds", () => {
    const checkouts = Object.values(workflow.jobs)
      .flatMap(({ steps }) => steps)
      .filter(({ uses }) => uses?.startsWith("actions/checkout@") === true);
    for (const checkout of checkouts) expect(checkout.with["persist-credentials"]).toBe(false);
  });

  test("puts no value of an event into a script: it would be read as code", () => {
    for (const { run } of Object.values(workflow.jobs).flatMap(({ steps }) => steps))
      expect(run ?? "").not.toContain("${{");
  });
});

test("one version of an action is used everywhere", () => {
  const pins = new Set(texts.flatMap(([, text]) => text.match(/[\w-]+\/[\w-]+@[0-9a-f]{40} # \S+/g) ?? []));
  const actions = new Set([...pins].map((pin) => pin.split("@")[0]));
  expect(pins.size).toBe(actions.size);
});
