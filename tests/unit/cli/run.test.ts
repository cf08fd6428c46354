import { describe, expect, test } from "bun:test";
import { nextStepFor } from "../../../src/app/next-steps.ts";
import { parseInvocation } from "../../../src/cli/invocation.ts";
import { COMMANDS } from "../../../src/cli/registry.ts";
import { resolveCommand } from "../../../src/cli/resolve-command.ts";
import { run } from "../../../src/cli/run.ts";
import { BridgeError } from "../../../src/lib/bridge-error.ts";
import { captureOutput, runCaptured } from "../../support/command-io.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

describe("without a command", () => {
  test("the service is what runs", () => {
    const resolution = resolveCommand(COMMANDS, []);
    expect(resolution.kind === "command" && resolution.entry.name).toBe("serve");
  });
});

describe("a wrong command line is exit 2, and never starts the service", () => {
  const wrong: readonly [argv: readonly string[], error: string, advice: string][] = [
    [["serv"], "unknown command serv", "did you mean serve? see chinmina-bridge --help"],
    [["SERVE"], "unknown command SERVE", "did you mean serve? see chinmina-bridge --help"],
    [["frobnicate"], "unknown command frobnicate", "see chinmina-bridge --help"],
    [[""], "unknown command ", "see chinmina-bridge --help"],
    [["serve", "now"], "serve takes no arguments", "see chinmina-bridge serve --help"],
    [["serve", "healthcheck"], "serve takes no arguments", "see chinmina-bridge serve --help"],
    [["serve", "--port", "1"], "unknown option --port", "see chinmina-bridge serve --help"],
    [["--port", "1"], "unknown option --port", "see chinmina-bridge --help"],
    [["-x"], "unknown option -x", "see chinmina-bridge --help"],
    [["--version"], "unknown option --version", "did you mean chinmina-bridge version? see chinmina-bridge --help"],
    [["--hepl"], "unknown option --hepl", "did you mean --help? see chinmina-bridge --help"],
    [["config"], "config needs a command: check", "see chinmina-bridge config --help"],
    [["config", "chekc"], "unknown command config chekc", "did you mean config check? see chinmina-bridge --help"],
    [["confg", "check"], "unknown command confg", "did you mean config check? see chinmina-bridge --help"],
    [["version", "x"], "version takes no arguments", "see chinmina-bridge version --help"],
    [
      ["version", "--formt", "json"],
      "unknown option --formt",
      "did you mean --format? see chinmina-bridge version --help",
    ],
    [["version", "--format"], "--format needs a value: --format FORMAT", "see chinmina-bridge version --help"],
    [["version", "--format="], "--format needs a value: --format FORMAT", "see chinmina-bridge version --help"],
    [
      ["version", "--format", "jsno"],
      "--format is one of text, json",
      "did you mean json? see chinmina-bridge version --help",
    ],
    [["version", "--format=json", "--format=text"], "--format is given twice", "see chinmina-bridge version --help"],
    [["version", "-f"], "unknown option -f", "see chinmina-bridge version --help"],
  ];

  test.each(wrong)("%j", async (argv, error, advice) => {
    expect(await runCaptured(argv)).toEqual({ code: 2, out: "", err: `error: ${error}\n${advice}\n` });
  });

  // What is behind a misplaced option may be a secret.
  test("whose message does not repeat the value of an unknown option", async () => {
    const { err } = await runCaptured(["version", "--token=ghs_canary", "ghs_canary"]);
    expect(err).not.toContain("ghs_canary");
  });

  test("whose message holds no control characters", async () => {
    const { err } = await runCaptured(["\u001B[2Jx\n\u202E"]);
    expect(err).toStartWith("error: unknown command \\u{1b}[2Jx\\u{a}\\u{202e}\n");
  });
});

describe("a forbidden environment", () => {
  test.each(
    [[], ["serve"], ["version"], ["healthcheck"], ["config", "check"], ["--help"], ["nonsense"]].map((argv) => [argv]),
  )("makes %j exit 1 with one line that names the variables", async (argv) => {
    const environment = { BUN_OPTIONS: "--preload=x", SSLKEYLOGFILE: "keys" };
    const { code, out, err } = await runCaptured(argv, { environment });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      "error: unset BUN_OPTIONS, SSLKEYLOGFILE: the runtime would let code in, print secrets or trust any certificate [forbidden-environment]\n",
    );
  });
});

describe("help", () => {
  test("lists the commands", async () => {
    expect(await runCaptured(["--help"])).toMatchSnapshot();
  });

  test("lists the commands of a group", async () => {
    expect(await runCaptured(["config", "--help"])).toMatchSnapshot();
  });

  test.each(["", "config", "profiles", "keyset"])(
    "of %p shows an example that is a right command line",
    async (group) => {
      const { out } = await runCaptured([...group.split(" ").filter(Boolean), "--help"]);
      const [, ...argv] = /^Example\n {2}(.+)$/m.exec(out)?.[1]?.split(" ") ?? [];
      const resolution = resolveCommand(COMMANDS, argv);
      if (resolution.kind !== "command") throw new Error("the example names no command");
      const command = await resolution.entry.load();
      expect(() => parseInvocation(resolution.entry.name, command, resolution.rest)).not.toThrow();
    },
  );

  test.each(COMMANDS.map(({ name }) => name))("tells of %s with an example, and does nothing else", async (name) => {
    const result = await runCaptured([...name.split(" "), "--nonsense", "--help"]);
    expect(result).toMatchSnapshot();
    expect(result.code).toBe(0);
    expect(result.out).toContain(`Example`);
    expect(result.out).toContain(`  chinmina-bridge ${name}`);
  });

  test("is emphasized on a terminal that may be coloured", async () => {
    expect((await runCaptured(["--help"], { out: captureOutput("terminal") })).out).toContain(
      "\u001B[1mUsage\u001B[0m",
    );
    expect((await runCaptured(["--help"], { out: captureOutput("plain terminal") })).out).not.toContain("\u001B");
  });
});

const FAULT = nextStepFor("unexpected");

describe("a failure", () => {
  test.each([
    [
      "ours: its message",
      new BridgeError("no-region", "no region"),
      `error: no region [no-region]\n${nextStepFor("no-region")}\n`,
    ],
    [
      "of another kind: its name alone",
      new RangeError("secret-canary"),
      `error: unexpected failure (RangeError) [unexpected]\n${FAULT}\n`,
    ],
    [
      "with a code: the code",
      Object.assign(new Error("secret-canary"), { code: "EPIPE" }),
      `error: unexpected failure (EPIPE) [unexpected]\n${FAULT}\n`,
    ],
    ["that is no error", "secret-canary", `error: unexpected failure (string) [unexpected]\n${FAULT}\n`],
  ])("%s, with what to try next, without a stack, exit 1", async (_, failure, line) => {
    const out = { ...captureOutput(), write: (): Promise<void> => rejectWith(failure) };
    const { code, err } = await runCaptured(["version"], { out });
    expect({ code, err }).toEqual({ code: 1, err: line });
  });

  test("keeps its exit status when nobody reads standard error", async () => {
    const err = { ...captureOutput(), write: (): Promise<void> => rejectWith(new Error("EPIPE")) };
    const io = {
      out: captureOutput(),
      err,
      environment: {},
      clock: createFixedClock(),
      ask: () => Promise.resolve(undefined),
      readFile: () => rejectWith(""),
      readInput: () => rejectWith(""),
      fetch: () => rejectWith(""),
    };
    expect(await run(["nonsense"], io)).toBe(2);
  });
});

describe("version", () => {
  test("tells version, commit and runtime as JSON", async () => {
    const { code, out } = await runCaptured(["version", "--format", "json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ version: "0.0.0-source", commit: "unknown", runtime: `bun ${Bun.version}` });
  });

  test("tells them to people", async () => {
    expect((await runCaptured(["version"])).out).toBe(
      `chinmina-bridge 0.0.0-source\ncommit unknown\nruntime bun ${Bun.version}\n`,
    );
  });
});

async function rejectWith(failure: unknown): Promise<never> {
  throw failure;
}
