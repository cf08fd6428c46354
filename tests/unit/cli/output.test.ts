import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { escapeControls, printable } from "../../../src/cli/printable.ts";
import { withProgress } from "../../../src/cli/progress.ts";
import { yellow } from "../../../src/cli/style.ts";
import { formatTable } from "../../../src/cli/table.ts";
import { allowsColour } from "../../../src/config/colour-preference.ts";
import { captureOutput } from "../../support/command-io.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

describe("formatTable()", () => {
  const rows = [
    [{ text: "a" }, { text: "first", style: yellow }, { text: "end" }],
    [{ text: "日本" }, { text: "x" }, { text: "y\nz\t" }],
  ];

  test("writes tabs and no header into a pipe", () => {
    expect(formatTable(["A", "B", "C"], rows, captureOutput())).toBe("a\tfirst\tend\n日本\tx\ty\\u{a}z\\u{9}\n");
  });

  test("lines columns up on a terminal, by the width that characters have there", () => {
    expect(formatTable(["A", "B", "C"], rows, captureOutput("plain terminal"))).toBe(
      "A     B      C\na     first  end\n日本  x      y\\u{a}z\\u{9}\n",
    );
  });

  test("colours without moving anything", () => {
    const coloured = formatTable(["A", "B", "C"], rows, captureOutput("terminal"));
    expect(Bun.stripANSI(coloured)).toBe(formatTable(["A", "B", "C"], rows, captureOutput("plain terminal")));
  });
});

describe("printable()", () => {
  test("leaves one line without control characters of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(printable(text).length).toBeLessThanOrEqual(201);
      }),
    );
  });

  test("changes nothing about plain text, and tables do not cut it", () => {
    expect(escapeControls("é 日本 …".repeat(100))).toBe("é 日本 …".repeat(100));
  });
});

describe("allowsColour()", () => {
  test.each([
    [{}, true],
    [{ NO_COLOR: "" }, true],
    [{ NO_COLOR: "1" }, false],
    [{ NO_COLOR: "0" }, false],
    [{ TERM: "dumb" }, false],
    [{ TERM: "xterm" }, true],
  ])("with %j: %p", (environment, allowed) => expect(allowsColour(environment)).toBe(allowed));
});

describe("withProgress()", () => {
  test("shows nothing for work of less than a second", async () => {
    const { err, clock, done } = start("terminal");
    clock.advance(999);
    await done(1);
    expect([err.text(), clock.pending()]).toEqual(["", 0]);
  });

  test("shows what it does and for how long, and leaves an empty line behind", async () => {
    const { err, clock, done } = start("terminal");
    clock.advance(2500);
    expect(await done(7)).toBe(7);
    expect(err.text()).toBe("\r\u001B[2Kasking… 1 s\r\u001B[2Kasking… 2 s\r\u001B[2K");
    expect(clock.pending()).toBe(0);
  });

  test("shows nothing when piped", async () => {
    const { err, clock, done } = start("pipe");
    clock.advance(5000);
    await done(1);
    expect(err.text()).toBe("");
  });

  test("hands on a failure, and stops", async () => {
    const clock = createFixedClock();
    const failing = withProgress("x", { err: captureOutput("terminal"), clock }, () => Promise.reject(new Error("no")));
    expect(await failing.catch(String)).toBe("Error: no");
    expect(clock.pending()).toBe(0);
  });

  function start(kind: "pipe" | "terminal") {
    const err = captureOutput(kind);
    const clock = createFixedClock();
    const { promise, resolve } = Promise.withResolvers<number>();
    const running = withProgress("asking", { err, clock }, () => promise);
    const done = (value: number): Promise<number> => {
      resolve(value);
      return running;
    };
    return { err, clock, done };
  }
});
