import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { RE2JS } from "re2js";
import { checkFile } from "../../../src/profiles/check-file.ts";
import { compilePattern } from "../../../src/profiles/pattern.ts";
import { estimatePatternCost, estimatePatternSize } from "../../../src/profiles/pattern-size.ts";

const vectors: readonly { readonly pattern: string; readonly accepted: boolean }[] = (
  await Bun.file(`${import.meta.dir}/../../vectors/re2/verdicts.jsonl`).text()
)
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));

/** What RE2 itself makes of it; undefined when it is no pattern. */
function programSize(pattern: string): number | undefined {
  try {
    return RE2JS.compile(pattern).programSize();
  } catch {
    return undefined;
  }
}

describe("estimatePatternSize()", () => {
  test("is never less than half of what RE2 makes of a pattern", () => {
    const sized = vectors.flatMap(({ pattern }) => {
      const size = programSize(pattern);
      return size === undefined ? [] : [{ pattern, size, estimate: estimatePatternSize(pattern) }];
    });
    expect(sized.length).toBeGreaterThan(1_500);
    expect(sized.filter(({ size, estimate }) => size > 2 * estimate + 4)).toEqual([]);
  });

  test("nor for any nest of groups, classes and counts", () => {
    const atom = fc.constantFrom(
      "a",
      ".",
      "\\d",
      "\\pL",
      "\\p{Greek}",
      "\\x{41}",
      "[a-z]",
      "[]^(]",
      "[^[:alpha:]{9}]",
      "\\Qa(\\E",
      "\\(",
    );
    const count = fc.constantFrom("", "", "*", "+?", "{3}", "{2,}", "{0,4}", "{7,9}", "{");
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc
        .array(
          fc.tuple(
            fc.oneof(
              { maxDepth: 3 },
              atom,
              tie("pattern").map((within) => `(?:${within})`),
            ),
            count,
          ),
          {
            minLength: 1,
            maxLength: 4,
          },
        )
        .map((parts) => parts.map((part) => part.join("")).join("|")),
    }));
    let compiled = 0;
    fc.assert(
      fc.property(pattern, (source) => {
        const size = programSize(source);
        if (size === undefined) return;
        compiled++;
        expect(size).toBeLessThanOrEqual(2 * estimatePatternSize(source) + 4);
      }),
      { numRuns: 2_000 },
    );
    expect(compiled).toBeGreaterThan(1_000);
  });

  test.each([
    ["deploy-.+", 9],
    ["[0-9a-f]{8}-[0-9a-f]{4}", 13],
    ["(ab){10}", 40],
    ["((a{10}){10}){10}", 1220],
    ["\\Q(((\\E", 7],
  ])("of %p is %p", (pattern, size) => {
    expect(estimatePatternSize(pattern)).toBe(size);
  });

  test.each(["[", "\\p{", "\\Q", "{1", "(", ")", "[[:", "\\", "{9}"])("takes a mebibyte of %p at once", (text) => {
    const startedMs = performance.now();
    expect(estimatePatternSize(text.repeat(2 ** 20 / text.length))).toBeGreaterThanOrEqual(0);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

describe("estimatePatternCost()", () => {
  test.each([
    ["deploy-.+", 0],
    ["[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", 0],
    ["[a-z0-9-]{1,63}", 111],
    ["\\pL{999}", 1052],
    ["[^\\p{Greek}a]", 60],
  ])("of %p is %p", (pattern, cost) => {
    expect(estimatePatternCost(pattern)).toBe(cost);
  });
});

const policy = (patterns: readonly string[]): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      pipeline: {
        profiles: patterns.map((valuePattern, index) => ({
          name: `p${index}`,
          permissions: ["contents:read"],
          match: [{ claim: "pipeline_slug", valuePattern }],
        })),
      },
    }),
  );
const errorsOf = (patterns: readonly string[]): readonly string[] =>
  checkFile(policy(patterns), { isAppUsable: () => true }).findings.flatMap(({ severity, message }) =>
    severity === "error" ? [message] : [],
  );

describe("a pattern that RE2 would make too much of", () => {
  test("is refused before it is compiled", () => {
    expect(compilePattern("\\pL{1000}".repeat(26))).toEqual({ kind: "invalid", reason: "expression too large" });
    expect(compilePattern("\\pL{1000}".repeat(5)).kind).toBe("pattern");
    expect(compilePattern("a*".repeat(126_000))).toEqual({ kind: "invalid", reason: "expression too large" });
  });

  test("makes its profile unavailable, and takes nothing from the others", () => {
    expect(errorsOf(["a{1000}".repeat(300), "b{1000}", "main"])).toEqual([
      expect.stringMatching(/^RE2 does not take valuePattern "a\{1000\}.*: expression too large$/),
    ]);
  });

  test("so are the last of many that are too large together", () => {
    const many = Array.from({ length: 150 }, (_, index) => `${index}-a{990}`);
    const errors = errorsOf([...many, "main"]);
    expect(errors.length).toBeGreaterThan(40);
    expect(errors.length).toBeLessThan(60);
    expect(errors.at(-1)).toBe(
      'RE2 does not take valuePattern "149-a{990}": the file\'s patterns are too large together',
    );
  });

  test("not so as many of the usual size as a file holds, nor a list of five thousand names", () => {
    expect(errorsOf(Array.from({ length: 7_500 }, (_, index) => `deploy-${index}-.+`))).toEqual([]);
    expect(errorsOf([Array.from({ length: 5_000 }, (_, index) => `some-repository-${index}`).join("|")])).toEqual([]);
  });
});
