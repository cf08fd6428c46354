import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProfileFileSchema } from "../../../src/profiles/json-schema.ts";
import { PROGRAMS, runProgram } from "../../support/program.ts";

const CORPUS = join(import.meta.dir, "../../vectors/policies");
const TABLE: Readonly<Record<string, readonly string[]>> = JSON.parse(
  readFileSync(join(CORPUS, "findings.json"), "utf8"),
);
const HELD = {
  default: {
    permissions: {
      contents: "write",
      issues: "write",
      pull_requests: "write",
      checks: "write",
      workflows: "write",
      organization_administration: "write",
      packages: "read",
      members: "read",
    },
  },
  writer: { permissions: { contents: "write" } },
};
const POLICY = `pipeline:
  profiles:
    - {name: release, match: [{claim: pipeline_slug, value: widget}], permissions: [contents:write]}
`;
const FILES: Readonly<Record<string, string>> = {
  "good.yaml": POLICY,
  "crlf.yaml": POLICY.replaceAll("\n", "\r\n"),
  "dangerous.yaml": "pipeline: {defaults: {permissions: [contents:write]}}",
  "broken.yaml": "pipeline: {profiles: [{name: a, permisions: []}]}",
  "claims.json": JSON.stringify({ pipeline_slug: "widget", build_number: 1 }),
  "cases.yaml": "cases: [{profile: repo:release, claims: {pipeline_slug: widget}, expect: granted}]",
  "wrong-cases.yaml": "cases: [{profile: repo:release, claims: {pipeline_slug: gadget}, expect: granted}]",
  "held.json": JSON.stringify({ apps: HELD }),
};

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profiles-"));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(PROGRAMS)("profiles of %s", (_, program) => {
  const run = (...argv: string[]) => runProgram(program, ["profiles", ...argv], { folder });

  test("check tells exactly what the corpus says, of all its files at once", async () => {
    const names = Object.keys(TABLE);
    const options = ["--apps", "writer", "--policy-repository", "policy", "--permissions", join(folder, "held.json")];
    const argv = ["profiles", "check", ...names, ...options, "--format", "json"];
    const { code, out, err } = await runProgram(program, argv, { folder: CORPUS });
    expect({ code, err }).toEqual({ code: 1, err: "" });
    const { valid, findings } = JSON.parse(out);
    expect(valid).toBe(false);
    const told = Map.groupBy(findings, ({ file }: { file: string }) => file);
    for (const name of names) {
      const rows = (told.get(name) ?? []).map(({ line, column, severity, code: rule, profile }: any) =>
        [`${line}:${column}`, severity, rule, ...(profile === undefined ? [] : [profile])].join(" "),
      );
      expect([name, rows]).toEqual([name, [...(TABLE[name] ?? [])]]);
    }
  });

  test.each([
    [["check", "good.yaml"], 0],
    [["check", "crlf.yaml", "--strict"], 0],
    [["check", "dangerous.yaml"], 0],
    [["check", "dangerous.yaml", "--strict"], 1],
    [["check", "broken.yaml"], 1],
    [["check", "nowhere.yaml"], 1],
    [["check", "."], 1],
    [["check"], 2],
    [["check", "good.yaml", "--format", "xml"], 2],
    [["check", "good.yaml", "--permissions", "good.yaml"], 1],
    [["explain", "good.yaml", "--claims", "claims.json"], 0],
    [["explain", "good.yaml", "--claims", "claims.json", "--profile", "release"], 0],
    [["explain", "broken.yaml", "--claims", "claims.json"], 1],
    [["explain", "good.yaml", "--claims", "claims.json", "--profile", "relaese"], 1],
    [["explain", "good.yaml"], 2],
    [["explain", "good.yaml", "--claims", "good.yaml"], 1],
    [["test", "good.yaml", "cases.yaml"], 0],
    [["test", "good.yaml", "wrong-cases.yaml"], 1],
    [["test", "good.yaml", "good.yaml"], 1],
    [["test", "good.yaml"], 2],
    [["schema"], 0],
    [["schema", "good.yaml"], 2],
    [["chekc", "good.yaml"], 2],
    [[], 2],
  ] as const)("%j ends with %i, and says why and what next where that is not 0", async (argv, expected) => {
    const { code, out, err } = await run(...argv);
    expect({ argv, code }).toEqual({ argv, code: expected });
    // What is wrong with the file is the result; what is wrong with the command line, or cannot be read, is an error of two lines.
    if (err !== "" && code !== 0) expect(err).toMatch(/^error: .+\n.+\n$/m);
    expect(out === "").toBe(expected === 2 || /^error: /m.test(err));
    expect(out + err).not.toContain("    at ");
  });

  test("explain reads a token from standard input, says that it is not verified, and where it stays silent", async () => {
    const payload = Buffer.from(JSON.stringify({ pipeline_slug: "widget", build_number: 1 })).toString("base64url");
    const child = Bun.spawn([...program, "profiles", "explain", "good.yaml", "--token", "--format", "json"], {
      cwd: folder,
      env: {},
      stdin: new Response(`eyJhbGciOiJSUzI1NiJ9.${payload}.c2lnbmF0dXJl\n`),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect(code).toBe(0);
    expect(JSON.parse(out).profiles.map(({ outcome }: { outcome: string }) => outcome)).toEqual(["granted", "granted"]);
    expect(err).toContain("the token was not verified");
    expect(err).not.toContain("c2lnbmF0dXJl");
  });

  test("check reads what another program writes, by /dev/stdin", async () => {
    const child = Bun.spawn([...program, "profiles", "check", "/dev/stdin"], {
      env: {},
      stdin: new Response(POLICY),
      stdout: "pipe",
    });
    expect([await child.stdout.text(), await child.exited]).toEqual([
      "No problems in 1 file: 1 pipeline profile, 0 organization profiles\n",
      0,
    ]);
  });

  test("a file without end costs no more than its first mebibyte", async () => {
    const { code, out } = await run("check", "/dev/zero");
    expect([code, out.split("\n")[0]]).toEqual([
      1,
      "/dev/zero:1:1: error: the file is larger than 1048576 bytes [file-too-large]",
    ]);
  });

  test("schema prints the schema that the tests compare with the parser", async () => {
    expect(JSON.parse((await run("schema")).out)).toEqual(createProfileFileSchema());
  });

  test.each(["check", "explain", "test", "schema"])("%s --help shows usage and an example", async (command) => {
    const { code, out, err } = await run(command, "--help");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`Usage\n  chinmina-bridge profiles ${command}`);
    expect(out).toMatch(/^Examples?\n {2}(\S.* )?chinmina-bridge profiles /m);
  });

  test.each([
    ["a pipe", {}, false, false],
    ["a terminal", { TERM: "xterm" }, true, true],
    ["a terminal with NO_COLOR", { TERM: "xterm", NO_COLOR: "1" }, true, false],
  ])("check on %s", async (_name, environment, isTerminal, isColoured) => {
    const command = [...program, "profiles", "check", "dangerous.yaml"];
    const out = isTerminal
      ? await runOnTerminal(command, environment)
      : (await runProgram(program, command.slice(program.length), { environment, folder })).out;
    expect(out.includes("\u001B[")).toBe(isColoured);
    expect(Bun.stripANSI(out)).toContain("dangerous.yaml:1:37: warning: ");
  });

  async function runOnTerminal(command: readonly string[], environment: Record<string, string>): Promise<string> {
    let out = "";
    const decoder = new TextDecoder();
    const child = Bun.spawn([...command], {
      cwd: folder,
      env: environment,
      terminal: { cols: 200, rows: 50, data: (_terminal, bytes) => void (out += decoder.decode(bytes)) },
    });
    await child.exited;
    child.terminal?.close();
    return out;
  }
});
