import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readRetryAfter } from "../../../src/lib/retry-after.ts";

const NOW = "Sat, 21 Nov 2026 08:00:00 GMT";
const read = (value: string | undefined, date: string | undefined = NOW) =>
  readRetryAfter(new Headers({ ...(value === undefined ? {} : { "retry-after": value }), date }));

describe("readRetryAfter()", () => {
  // The first two are the examples of RFC 9110 section 10.2.3, the date beside a time of its own.
  test.each<readonly [string, string, number]>([
    ["120", NOW, 120],
    ["Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT", 30],
    ["0", NOW, 0],
    ["007", NOW, 7],
    ["1000000000", NOW, 1_000_000_000],
    ["9".repeat(40), NOW, Number.MAX_SAFE_INTEGER],
    ["Sat, 21 Nov 2026 07:00:00 GMT", NOW, 0],
    ["Sun, 22 Nov 2026 08:00:00 GMT", NOW, 86_400],
  ])("reads %p, said at %s, as %d seconds", (value, date, seconds) => {
    expect(read(value, date)).toBe(seconds);
  });

  test.each([
    undefined,
    "",
    "-5",
    "+5",
    "1.5",
    "1e3",
    "0x10",
    "5, 6",
    "5 seconds",
    "soon",
    "2026-11-21T08:01:00Z",
    "Saturday, 21-Nov-26 08:01:00 GMT",
    "Sat Nov 21 08:01:00 2026",
    "Sat, 21 Nov 2026 08:01:00 +0100",
    "Sat, 99 Nov 2026 08:01:00 GMT",
  ])("makes nothing of %p", (value) => {
    expect(read(value)).toBeUndefined();
  });

  test("makes nothing of a date when the sender does not tell its own", () => {
    expect(readRetryAfter(new Headers({ "retry-after": NOW }))).toBeUndefined();
    expect(read(NOW, "now")).toBeUndefined();
  });

  test("gives whole seconds from 0 on, or nothing, whatever is sent", () => {
    const text = fc.oneof(
      fc.stringMatching(/^[ -~]*$/),
      fc.nat().map(String),
      fc.date({ noInvalidDate: true }).map((d) => d.toUTCString()),
    );
    fc.assert(
      fc.property(text, text, (value, date) => {
        const seconds = read(value, date);
        expect(seconds === undefined || (Number.isSafeInteger(seconds) && seconds >= 0)).toBe(true);
      }),
    );
  });
});
