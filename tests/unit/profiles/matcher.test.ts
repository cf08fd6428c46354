import { describe, expect, test } from "bun:test";
import { isMatchableClaim } from "../../../src/profiles/claim.ts";
import { createMatchRules } from "../../../src/profiles/matcher.ts";
import type { ClaimRule } from "../../../src/profiles/policy.ts";
import { compilePattern } from "../../../src/profiles/pattern.ts";

const value = (claim: string, wanted: string): ClaimRule => ({ claim, kind: "value", value: wanted });

function pattern(claim: string, source: string): ClaimRule {
  const result = compilePattern(source);
  if (result.kind === "invalid") throw new Error(result.reason);
  return { claim, kind: "pattern", pattern: result.pattern };
}

function evaluate(rules: readonly ClaimRule[], claims: Record<string, string>) {
  return createMatchRules(rules).evaluate(new Map(Object.entries(claims)));
}

describe("match rules", () => {
  test("that are none match everyone, whatever their claims", () => {
    expect(evaluate([], {})).toEqual({ kind: "matched", matches: [] });
    expect(evaluate([], { build_branch: "a b\u0000" })).toEqual({ kind: "matched", matches: [] });
  });

  test("all have to hold", () => {
    const rules = [value("pipeline_slug", "silk"), pattern("build_branch", "main|release/.*")];
    expect(evaluate(rules, { pipeline_slug: "silk", build_branch: "release/1" })).toEqual({
      kind: "matched",
      matches: [
        { claim: "pipeline_slug", value: "silk" },
        { claim: "build_branch", value: "release/1" },
      ],
    });
    expect(evaluate(rules, { pipeline_slug: "silk", build_branch: "main-attacker" })).toEqual({
      kind: "refused",
      attempted: [{ claim: "build_branch", pattern: "main|release/.*", value: "main-attacker" }],
    });
  });

  test("that do not hold are all told", () => {
    const rules = [value("pipeline_slug", "silk"), pattern("build_branch", "main"), value("build_number", "7")];
    expect(evaluate(rules, { pipeline_slug: "Silk", build_number: "7" })).toEqual({
      kind: "refused",
      attempted: [
        { claim: "pipeline_slug", pattern: "silk", value: "Silk" },
        { claim: "build_branch", pattern: "main", value: "" },
      ],
    });
  });

  test.each([[value("build_tag", "v1")], [pattern("build_tag", ".*")], [pattern("build_tag", "|v1")]])(
    "never hold for a claim that is absent or empty: %#",
    (rule) => {
      expect(evaluate([rule], {}).kind).toBe("refused");
      expect(evaluate([rule], { build_tag: "" }).kind).toBe("refused");
    },
  );

  test("compare a value exactly: no pattern, no case, no trimming", () => {
    for (const other of ["m.in", "Main", "main.", "mai"]) {
      expect(evaluate([value("build_branch", "m.in")], { build_branch: other }).kind).toBe(
        other === "m.in" ? "matched" : "refused",
      );
    }
  });

  test.each([
    ["257 characters", "a".repeat(257)],
    ["257 characters beyond the BMP", "😀".repeat(257)],
    ["a space", "a b"],
    ["a trailing line feed", "main\n"],
    ["a no-break space", "a\u00A0b"],
    ["a next-line", "a\u0085b"],
    ["an ideographic space", "a\u3000b"],
    ["a line separator", "a\u2028b"],
    ["a NUL", "a\u0000"],
    ["a delete", "a\u007F"],
    ["a C1 control", "a\u009B"],
    ["half a surrogate pair", "a\uD800"],
  ])("never see a value with %s, whichever rule comes first", (_name, bad) => {
    const claims = { build_branch: bad, pipeline_slug: "other" };
    for (const rules of [
      [pattern("build_branch", "(?s).*")],
      [value("build_branch", bad)],
      [value("pipeline_slug", "silk"), value("build_branch", bad)],
      [value("build_branch", bad), value("pipeline_slug", "silk")],
    ]) {
      expect(evaluate(rules, claims)).toEqual({ kind: "invalid-claim", claim: "build_branch" });
    }
  });

  test.each([["a".repeat(256)], ["😀".repeat(256)], ["日本-ü/ß"], ["a\u200Bb"]])("see %p", (good) => {
    expect(evaluate([pattern("build_branch", ".*")], { build_branch: good }).kind).toBe("matched");
  });

  test("do not judge claims that no rule reads", () => {
    expect(evaluate([value("pipeline_slug", "silk")], { pipeline_slug: "silk", build_branch: "a b" }).kind).toBe(
      "matched",
    );
  });
});

describe("isMatchableClaim()", () => {
  test.each([
    "pipeline_slug",
    "pipeline_id",
    "build_number",
    "build_branch",
    "build_tag",
    "build_commit",
    "cluster_id",
    "cluster_name",
    "queue_id",
    "queue_key",
    "agent_tag:queue",
    "agent_tag:a:b",
    "agent_tag:é",
  ])("%s may be matched on", (claim) => expect(isMatchableClaim(claim)).toBe(true));

  test.each([
    "",
    "sub",
    "organization_slug",
    "job_id",
    "step_key",
    "Build_branch",
    " build_branch",
    "agent_tag",
    "agent_tag:",
    "agent_tag:a b",
    "agent_tag:\u00A0",
    "agent_tag:a\u0000",
    "agent_tag:\uD800",
    "__proto__",
  ])("%j may not", (claim) => expect(isMatchableClaim(claim)).toBe(false));
});
