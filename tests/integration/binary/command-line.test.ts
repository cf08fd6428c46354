import { describe, expect, test } from "bun:test";
import { BINARY, PROGRAMS, runProgram } from "../../support/program.ts";

describe.each(PROGRAMS)("%s", (_, program) => {
  test("serves without a command, and tells every problem of its environment, a line each", async () => {
    const { code, out, err } = await runProgram(program, []);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(
      err
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual([
      "JWT_BUILDKITE_ORGANIZATION_SLUG",
      "BUILDKITE_API_TOKEN",
      "GITHUB_APP_ID",
      "GITHUB_APP_INSTALLATION_ID",
      "GITHUB_APP_PRIVATE_KEY_ARN",
    ]);
  });

  test("finds the same problems with config check", async () => {
    const { code, out } = await runProgram(program, ["config", "check", "--format", "json"]);
    expect(code).toBe(1);
    expect(JSON.parse(out).problems).toHaveLength(5);
  });

  test("starts nothing for a word behind serve", async () => {
    const { code, out, err } = await runProgram(program, ["serve", "now"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toStartWith("error: serve takes no arguments\n");
  });

  test("writes help to standard output", async () => {
    const { code, out, err } = await runProgram(program, ["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("healthcheck");
  });

  // The runtime itself would take some of these words.
  test.each([["--inspect"], ["--preload"], ["--version"], ["-e"], ["run"], ["repl"]])(
    "takes %s for a wrong command line",
    async (word) => {
      const { code, out } = await runProgram(program, [word]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
    },
  );

  test("is told by NODE_TLS_REJECT_UNAUTHORIZED=0 to do nothing", async () => {
    const environment = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const { code, out, err } = await runProgram(program, ["version"], { environment });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("error: unset NODE_TLS_REJECT_UNAUTHORIZED:");
    expect(err).not.toContain("    at ");
  });

  test("ends with one line when its output cannot be written", async () => {
    const child = Bun.spawn([...program, "version"], { env: {}, stdout: Bun.file("/dev/full"), stderr: "pipe" });
    expect(await child.exited).toBe(1);
    expect(await child.stderr.text()).toBe(
      "error: the output cannot be written (ENOSPC) [output-unwritable]\nmake room where standard output goes to, or let its reader stay until the end\n",
    );
  });
});

describe("the binary", () => {
  test.each([
    ["BUN_OPTIONS", "--smol"],
    ["BUN_CONFIG_VERBOSE_FETCH", "curl"],
    ["SSLKEYLOGFILE", "keys"],
  ])("refuses to run with %s", async (name, value) => {
    const { code, out, err } = await runProgram([BINARY], ["version"], { environment: { [name]: value } });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toStartWith(`error: unset ${name}: `);
  });

  test("knows the version and the commit that it was built from", async () => {
    const { out } = await runProgram([BINARY], ["version", "--format", "json"]);
    expect(JSON.parse(out)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      commit: expect.stringMatching(/^([0-9a-f]{40}|unknown)$/),
      runtime: `bun ${Bun.version}`,
    });
  });
});
