import { describe, expect, test } from "bun:test";
import { captureOutput, runCaptured } from "../../../support/command-io.ts";

const GOOD = `pipeline:
  profiles:
    - {name: p, permissions: [contents:read]}
`;
const DANGEROUS = `pipeline:
  profiles:
    - {name: p, permissions: [contents:write]}
`;
const BROKEN = `pipeline:
  profiles:
    - name: release
      match:
        - claim: x
      permissions: ["contents:wriet"]
`;

const files = { "good.yaml": GOOD, "dangerous.yaml": DANGEROUS, "broken.yaml": BROKEN };
const check = (...argv: string[]) => runCaptured(["profiles", "check", ...argv], { files });

describe("profiles check", () => {
  test("says what it has seen where there is nothing to say", async () => {
    expect(await check("good.yaml", "good.yaml")).toEqual({
      code: 0,
      out: "No problems in 2 files: 2 pipeline profiles, 0 organization profiles\n",
      err: "",
    });
  });

  test("underlines what is wrong, says what to do, and exits 1", async () => {
    const { code, out } = await check("broken.yaml");
    expect(code).toBe(1);
    expect(out)
      .toBe(`broken.yaml:5:11: error: a match rule needs a value or a valuePattern that is not empty: an empty claim never matches [missing-match-value] (repo:release)
    5 |         - claim: x
      |           ^^^^^
  = write value for one text, or valuePattern for a pattern

broken.yaml:5:18: error: the claim "x" may not be matched on [unknown-claim] (repo:release)
    5 |         - claim: x
      |                  ^
  = use a claim of Buildkite's tokens that profiles may match on

broken.yaml:6:21: error: permission "contents:wriet" has an action that GitHub does not accept there; it accepts read, write [unsupported-action] (repo:release)
    6 |       permissions: ["contents:wriet"]
      |                     ^^^^^^^^^^^^^^^^
  = use an action that GitHub has for this permission

3 errors and 0 warnings in 1 file; docs/profiles.md explains each code
`);
  });

  test("shows no more than 200 findings of a file, says how many there are, and tells all as JSON", async () => {
    const many = `pipeline:\n  profiles:\n${"    - {name: a}\n".repeat(201)}`;
    const settings = { files: { "many.yaml": many, "good.yaml": GOOD } };
    const { out } = await runCaptured(["profiles", "check", "many.yaml", "good.yaml"], settings);
    expect(out.match(/^many\.yaml:\d+:\d+: error/gm)).toHaveLength(200);
    expect(out).toContain("many.yaml: 202 more, which --format json tells\n\n402 errors and 0 warnings in 2 files;");
    const json = await runCaptured(["profiles", "check", "many.yaml", "--format", "json"], settings);
    expect(JSON.parse(json.out).findings).toHaveLength(402);
  });

  test("colours a terminal that may be coloured", async () => {
    const { out } = await runCaptured(["profiles", "check", "dangerous.yaml"], {
      files,
      out: captureOutput("terminal"),
    });
    expect(out).toContain("\u001B[33mwarning\u001B[0m");
    expect(out).toContain("\u001B[33m^^^^^^^^^^^^^^\u001B[0m");
  });

  test("exits 0 on warnings alone, and 1 with --strict", async () => {
    expect((await check("dangerous.yaml")).code).toBe(0);
    expect((await check("dangerous.yaml", "--strict")).code).toBe(1);
    expect((await check("good.yaml", "--strict")).code).toBe(0);
  });

  test("writes the documented JSON, of all files in one document", async () => {
    const { code, out } = await check("good.yaml", "dangerous.yaml", "broken.yaml", "--format", "json");
    expect(code).toBe(1);
    const { valid, findings } = JSON.parse(out);
    expect(valid).toBe(false);
    expect(findings).toHaveLength(4);
    expect(findings[0]).toEqual({
      severity: "warning",
      code: "write-without-rule",
      message: "no rule narrows who may have contents:write: every pipeline of the organization gets it",
      file: "dangerous.yaml",
      line: 3,
      column: 31,
      profile: "repo:p",
    });
    expect(JSON.parse((await check("dangerous.yaml", "--format", "json")).out).valid).toBe(true);
    expect(JSON.parse((await check("good.yaml", "--format", "json")).out)).toEqual({ valid: true, findings: [] });
  });

  test("writes GitHub's workflow commands, which no text of a file can end or forge", async () => {
    const hostile = { "a,b:c%.yaml": 'pipeline:\n  profiles:\n    - {name: "x\\n::error::y%", permissions: [zzz]}\n' };
    const { code, out } = await runCaptured(["profiles", "check", "a,b:c%.yaml", "--format", "github"], {
      files: hostile,
    });
    expect(code).toBe(1);
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toStartWith(
      "::error file=a%2Cb%3Ac%25.yaml,line=3,col=14,title=malformed-name::repo:x%0A::error::y%25: the name",
    );
    expect(lines.every((line) => line.startsWith("::error file="))).toBe(true);
    expect((await check("good.yaml", "--format", "github")).out).toBe("");
  });

  test("takes every App for one that exists, unless --apps names them", async () => {
    const withApp = {
      "a.yaml": "pipeline:\n  profiles:\n    - {name: p, app: writer, permissions: [contents:read]}\n",
    };
    const run = (...argv: string[]) => runCaptured(["profiles", "check", "a.yaml", ...argv], { files: withApp });
    expect((await run()).code).toBe(0);
    expect((await run("--apps", "reader, writer")).code).toBe(0);
    expect((await run("--apps", "reader")).out).toContain("[unusable-app]");
    expect(await run("--apps", "reader,")).toEqual({
      code: 2,
      out: "",
      err: "error: --apps holds an empty name: --apps writer,reader\n",
    });
  });

  test("warns of what the installation does not hold, as --permissions tells", async () => {
    const held = JSON.stringify({ apps: { default: { permissions: { contents: "read" }, more: 1 } } });
    const run = (text: string) =>
      runCaptured(["profiles", "check", "dangerous.yaml", "--permissions", "held.json"], {
        files: { ...files, "held.json": text },
      });
    expect((await run(held)).out).toContain(
      'the App "default" holds contents:read, and contents:write is asked for [permission-not-held]',
    );
    for (const wrong of ["", "[]", "{}", '{"apps":{"default":[]}}', "x".repeat(2_000_000)]) {
      expect(await run(wrong)).toEqual({
        code: 1,
        out: "",
        err: "error: held.json does not hold the permissions of installations\nwrite it with chinmina-bridge doctor --write-permissions FILE\n",
      });
    }
  });

  test.each([
    [["nowhere.yaml"], 1, "error: nowhere.yaml cannot be read (ENOENT)\n"],
    [[], 2, "error: profiles check needs FILE…\n"],
    [["good.yaml", "--policy-repository", "acme/policy"], 2, "error: --policy-repository is not the name"],
    [["good.yaml", "--format", "githbu"], 2, "error: --format is one of text, json, github\ndid you mean github?"],
  ])("%j fails with what to try next", async (argv, code, error) => {
    const result = await check(...argv);
    expect({ code: result.code, out: result.out }).toEqual({ code, out: "" });
    expect(result.err).toStartWith(error);
    expect(result.err.trimEnd().split("\n")).toHaveLength(2);
  });

  // A terminal must not be driven by a file that somebody else wrote.
  test("shows no control or format character of a file", async () => {
    const hostile = 'pipeline:\n  profiles:\n    - {name: "\\e[2J", permissions: [a]} # \u202E\u200B\n';
    const { out } = await runCaptured(["profiles", "check", "x.yaml"], { files: { "x.yaml": hostile } });
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test("shows a window of a line that is long", async () => {
    const line = `{"pipeline": {"profiles": [${'{"name": "x", "permissions": ["contents:read"]}, '.repeat(2000)}{"nam": 1}]}}`;
    const { out } = await runCaptured(["profiles", "check", "x.yaml"], { files: { "x.yaml": line } });
    expect(out).toContain("[unknown-key]");
    for (const shown of out.split("\n")) expect(shown.length).toBeLessThan(400);
    expect(out).toMatch(/\n +\| +\^{5}\n/);
  });
});
