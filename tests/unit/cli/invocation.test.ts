import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Command } from "../../../src/cli/command.ts";
import { UsageError } from "../../../src/cli/failure.ts";
import { asksForHelp, parseInvocation } from "../../../src/cli/invocation.ts";

const COMMAND: Command = {
  operands: { usage: "FILE…", least: 1, most: 2 },
  options: [
    { name: "apps", value: "A,B", meaning: "names" },
    { name: "strict", meaning: "a flag" },
    { name: "format", value: "FORMAT", choices: ["text", "json"], meaning: "form" },
  ],
  examples: ["x"],
  run: () => Promise.resolve(0),
};

describe("parseInvocation()", () => {
  test.each([
    [["f"], ["f"], undefined, false, "text"],
    [["f", "--apps", "a", "--strict", "--format", "json"], ["f"], "a", true, "json"],
    [["--apps=a", "f", "--format=json", "g"], ["f", "g"], "a", false, "json"],
    [["--strict", "f"], ["f"], undefined, true, "text"],
    [["--apps=-1", "f"], ["f"], "-1", false, "text"],
    [["--apps", "-", "f"], ["f"], "-", false, "text"],
    [["--", "--strict", "-x"], ["--strict", "-x"], undefined, false, "text"],
    [["-"], ["-"], undefined, false, "text"],
    [["--apps=a=b", "f"], ["f"], "a=b", false, "text"],
  ])("reads %j", (argv, operands, apps, strict, format) => {
    const invocation = parseInvocation("x", COMMAND, argv);
    expect([
      invocation.operands,
      invocation.text("apps"),
      invocation.flag("strict"),
      invocation.text("format"),
    ]).toEqual([operands, apps, strict, format]);
  });

  test.each([
    [[], "x needs FILE…"],
    [["a", "b", "c"], "x takes only FILE…"],
    [["f", "--apps"], "--apps needs a value: --apps A,B"],
    [["f", "--apps", "--strict"], "--apps needs a value: --apps A,B"],
    [["f", "--strict=yes"], "--strict takes no value"],
    [["f", "--strict", "--strict"], "--strict is given twice"],
    [["f", "--no-strict"], "unknown option --no-strict"],
    [["f", "--apps2=x"], "unknown option --apps2"],
    [["f", "-s"], "unknown option -s"],
    [["f", "--__proto__=x"], "unknown option --__proto__"],
    [["f", "--constructor"], "unknown option --constructor"],
  ])("refuses %j", (argv, message) => {
    expect(() => parseInvocation("x", COMMAND, argv)).toThrow(new UsageError(message));
  });

  test("answers or throws a UsageError for any words at all", () => {
    const word = fc.oneof(fc.string(), fc.constantFrom("--apps", "--strict", "--format=json", "--", "-", "f"));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        try {
          expect(parseInvocation("x", COMMAND, argv).operands.length).toBeWithin(1, 3);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});

test("asksForHelp() looks before -- only", () => {
  expect([["a", "--help"], ["-h"], ["--", "--help"], []].map(asksForHelp)).toEqual([true, true, false, false]);
});
