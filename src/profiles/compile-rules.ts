import { isMatchableClaim } from "./claim.ts";
import type { MatchEntry, ProfileEntry } from "./document.ts";
import { quoted } from "./finding.ts";
import { createMatchRules } from "./matcher.ts";
import { compilePattern, type CompiledPattern } from "./pattern.ts";
import type { ClaimRule, MatchRules } from "./policy.ts";
import type { ProblemSink } from "./problem-sink.ts";

/** Compiles patterns, each text once: policies repeat a few patterns in many profiles. */
export type PatternCompiler = (source: string) => CompiledPattern;

export function createPatternCompiler(): PatternCompiler {
  const compiled = new Map<string, CompiledPattern>();
  return (source) => {
    const known = compiled.get(source);
    if (known !== undefined) return known;
    const result = compilePattern(source);
    compiled.set(source, result);
    return result;
  };
}

/** The match rules of a profile; undefined after reporting what is wrong with any of them. None at all match everyone. */
export function compileRules(
  match: ProfileEntry["match"],
  compile: PatternCompiler,
  problems: ProblemSink,
): MatchRules | undefined {
  if (match !== undefined && match.value.length === 0) {
    problems.warn("empty-match", match.at, "match has no rules, so every pipeline matches");
  }
  const entries = match?.value ?? [];
  const rules = entries.flatMap((entry) => compileRule(entry, compile, problems) ?? []);
  return rules.length === entries.length ? createMatchRules(rules) : undefined;
}

function compileRule(entry: MatchEntry, compile: PatternCompiler, problems: ProblemSink): ClaimRule | undefined {
  const claim = compileClaim(entry, problems);
  const { value, valuePattern } = entry;
  if (value !== undefined && valuePattern !== undefined) {
    problems.error("ambiguous-match-value", valuePattern.at, "a match rule has value or valuePattern, not both");
    return undefined;
  }
  const wanted = value ?? valuePattern;
  if (wanted === undefined || wanted.value === "") {
    const message = "a match rule needs a value or a valuePattern that is not empty: an empty claim never matches";
    problems.error("missing-match-value", wanted?.at ?? entry.at, message);
    return undefined;
  }
  if (value !== undefined) return claim === undefined ? undefined : { claim, kind: "value", value: value.value };
  const compiled = compile(wanted.value);
  if (compiled.kind === "invalid") {
    const message = `valuePattern ${quoted(wanted.value)} is not RE2 syntax: ${compiled.reason}`;
    problems.error("invalid-pattern", wanted.at, message);
    return undefined;
  }
  return claim === undefined ? undefined : { claim, kind: "pattern", pattern: compiled.pattern };
}

function compileClaim({ claim, at }: MatchEntry, problems: ProblemSink): string | undefined {
  if (claim === undefined || claim.value === "") {
    problems.error("missing-claim", claim?.at ?? at, "a match rule names no claim");
    return undefined;
  }
  if (isMatchableClaim(claim.value)) return claim.value;
  problems.error("unknown-claim", claim.at, `the claim ${quoted(claim.value)} may not be matched on`);
  return undefined;
}
