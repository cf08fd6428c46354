import { describe, expect, test } from "bun:test";
import { readReport, shown } from "../../../scripts/tests/report.ts";

const RED = `bun test v1.4.5 (a7733435c)

tests/unit/a.test.ts:
error: expect(received).toBe(expected)
(fail) a > b [with] brackets [0.22ms]
(pass) a > ok

tests/unit/b.test.ts:

# Unhandled error between tests
-------------------------------
error: load
-------------------------------

1 tests failed:
(fail) a > b [with] brackets [0.22ms]

 1 pass
 2 fail
 1 error
Ran 3 tests across 2 files. [6.00ms]
`;
const GREEN = " 12 pass\n 0 fail\nRan 12 tests across 1 file. [6.00ms]\n";

describe("what a run of tests said", () => {
  test("names every failed test with its file", () =>
    expect(readReport(RED, 1)).toEqual({
      passed: 1,
      failed: 2,
      failures: [
        { file: "tests/unit/a.test.ts", name: "a > b [with] brackets" },
        { file: "tests/unit/b.test.ts", name: "an error outside its tests" },
      ],
    }));

  test("is a success only when the process ended well", () => {
    expect(readReport(GREEN, 0)).toEqual({ passed: 12, failed: 0, failures: [] });
    expect(readReport(GREEN, 139)).toEqual({
      passed: 12,
      failed: 1,
      failures: [{ file: "", name: "ended with status 139" }],
    });
  });

  test("is read with colours too", () =>
    expect(readReport(`tests/x.test.ts:\n\x1b[31m(fail)\x1b[0m one\n 0 pass\n 1 fail\n`, 1).failures).toEqual([
      { file: "tests/x.test.ts", name: "one" },
    ]));

  test("is shown without what passed", () => expect(shown(RED)).not.toContain("(pass)"));
});
