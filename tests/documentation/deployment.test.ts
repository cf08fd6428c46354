import { describe, expect, test } from "bun:test";
import { readTemplate, STACKS, type StackName } from "../support/cloudformation.ts";

const page = await Bun.file(new URL("../../docs/deployment.md", import.meta.url)).text();
/** What the page tells a reader to type, in its order, continued lines joined. */
const lines = [...page.matchAll(/^( *)```sh\n([^]*?)^ *```/gm)].flatMap(([, indent = "", block = ""]) =>
  block
    .replaceAll(new RegExp(`^${indent}`, "gm"), "")
    .replaceAll("\\\n", " ")
    .split("\n"),
);

describe("the deployment guide's commands", () => {
  test("are there to be looked at", () => {
    expect(lines.filter((line) => line.startsWith("aws ")).length).toBeGreaterThan(8);
  });

  test("use no variable before a line of the page has set it", () => {
    const known = new Set(["PWD", "PATH"]);
    const unset: string[] = [];
    for (const line of lines) {
      const command = line.replaceAll(/'[^']*'/g, "");
      unset.push(
        ...[...command.matchAll(/\$\{?([A-Z]\w*)/g)].map(([, name = ""]) => name).filter((name) => !known.has(name)),
      );
      for (const [, name = ""] of command.matchAll(/(?:^|[ ;])([A-Z]\w*)=/g)) known.add(name);
    }
    expect(unset).toEqual([]);
  });

  test("take outputs that the stacks have", () => {
    const taken = [...page.matchAll(/\$\(output (\w+) (\w+)\)/g)];
    expect(taken.length).toBeGreaterThan(3);
    for (const [, stack = "", name = ""] of taken) {
      expect(Object.keys(readTemplate(stackNamed(stack)).Outputs)).toContain(name);
    }
  });

  test.each(STACKS)("give %s parameters that it has, and all that it must be given", (stack) => {
    const command = lines.find((line) => line.includes(`deploy/aws/${stack}.yaml`)) ?? "";
    const given = [...command.replace(/^.*--parameter-overrides/, "").matchAll(/ (\w+)=/g)].map(
      ([, name = ""]) => name,
    );
    const { Parameters } = readTemplate(stack);
    expect(given.filter((name) => !(name in Parameters))).toEqual([]);
    const required = Object.keys(Parameters).filter((name) => !("Default" in (Parameters[name] ?? {})));
    expect(required.filter((name) => !given.includes(name))).toEqual([]);
    expect(given).toContain("Name");
  });
});

function stackNamed(name: string): StackName {
  const stack = STACKS.find((known) => known === name);
  if (stack === undefined) throw new Error(`there is no stack ${name}`);
  return stack;
}
