import { describe, expect, test } from "bun:test";
import { compilePattern, type WholeValuePattern } from "../../../src/profiles/pattern.ts";

interface GoVerdict {
  readonly pattern: string;
  readonly accepted: boolean;
  readonly values: readonly string[];
  readonly verdicts: string;
}

const vectors: readonly GoVerdict[] = (await Bun.file(`${import.meta.dir}/../../vectors/re2/verdicts.jsonl`).text())
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));

/** RE2 itself refuses two groups of one name; Go, from which the verdicts are, does not. */
const REFUSED_BY_RE2_ALONE = ["(?P<n>a)(?P<n>b)"];

function compiled(source: string): WholeValuePattern {
  const result = compilePattern(source);
  if (result.kind === "invalid") throw new Error(`${source}: ${result.reason}`);
  return result.pattern;
}

describe("compilePattern() and Go's regexp", () => {
  test("accept the same patterns", () => {
    const different = vectors.filter(
      ({ pattern, accepted }) => (compilePattern(pattern).kind === "pattern") !== accepted,
    );
    expect(different.map(({ pattern }) => pattern)).toEqual(REFUSED_BY_RE2_ALONE);
    expect(vectors.length).toBeGreaterThan(2_000);
  });

  test("match the same whole values", () => {
    const judged = vectors.filter(({ pattern, accepted }) => accepted && !REFUSED_BY_RE2_ALONE.includes(pattern));
    const pairs = judged.flatMap(({ pattern, values, verdicts }) =>
      values.map((value, index) => ({ pattern, value, matches: verdicts[index] === "1" })),
    );
    expect(pairs.filter(({ pattern, value, matches }) => compiled(pattern).matches(value) !== matches)).toEqual([]);
    expect(pairs.length).toBeGreaterThan(14_000);
    expect(pairs.filter(({ matches }) => matches).length).toBeGreaterThan(2_000);
  });
});

describe("compilePattern() keeps a pattern between its anchors", () => {
  // The hole of peers: `^main|develop$` is `^main` or `develop$`.
  test.each([
    ["main|develop", "main-attacker"],
    ["main|develop", "attacker-develop"],
    ["^main|develop$", "main-attacker"],
    ["main\\z|evil", "evil-attacker"],
    ["(?m)^main$", "evil\nmain"],
    ["(?m:^main$)", "main\nevil"],
    ["main", "main\n"],
    ["main$", "main\n"],
    ["", "anything"],
  ])("%p does not match %p", (pattern, value) => {
    expect(compiled(pattern).matches(value)).toBe(false);
  });

  // Wrapped unseen, each would close the group and stand outside the anchors.
  test.each(["a)(b", "a)|(?:.*", "main)|(?:.*", ")", "(", "a\\", "[", "\\Qa)|(?:b", "\\Qmain"])(
    "%p is refused",
    (pattern) => {
      expect(compilePattern(pattern).kind).toBe("invalid");
    },
  );

  // What RE2 leaves out is what makes other engines backtrack.
  test.each(["(a)\\1", "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(?>a)", "a++"])("%p is no RE2 syntax", (pattern) => {
    expect(compilePattern(pattern).kind).toBe("invalid");
  });
});

test("a pattern that backtracking engines need centuries for takes linear time", () => {
  expect(compiled("(a*)*b").matches("a".repeat(256))).toBe(false);
  expect(compiled("(a|aa)+").matches(`${"a".repeat(255)}b`)).toBe(false);
  expect(compiled("(.*.*)*=.*").matches("x".repeat(256))).toBe(false);
});
