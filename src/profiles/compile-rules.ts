import { isMatchableClaim } from "./claim.ts";
import type { MatchEntry, ProfileEntry } from "./document.ts";
import { quoted } from "./finding.ts";
import { createMatchRules } from "./matcher.ts";
import { compilePattern, type CompiledPattern, MAX_PATTERN_COST } from "./pattern.ts";
import { estimatePatternCost } from "./pattern-size.ts";
import type { ClaimRule, MatchRules } from "./policy.ts";
import type { ProblemSink } from "./problem-sink.ts";

/**
 * Compiles the patterns of one file, each text once: policies repeat a few patterns in many profiles. Past a bound on all together, in the
 * order of the file, the next ones are refused: a file of small patterns with large counts would cost gigabytes.
 */
export type PatternCompiler = (source: string) => CompiledPattern;

/** As `estimatePatternCost` counts: nothing for most patterns, 111 for `[a-z0-9-]{1,63}`. */
const MAX_PATTERNS_COST = 100_000;

export function createPatternCompiler(): PatternCompiler {
  const compiled = new Map<string, CompiledPattern>();
  let cost = 0;
  const compile = (source: string): CompiledPattern => {
    const added = estimatePatternCost(source);
    if (added <= MAX_PATTERN_COST && cost + added > MAX_PATTERNS_COST) {
      return { kind: "invalid", reason: "the file's patterns are too large together" };
    }
    const result = compilePattern(source);
    if (result.kind === "pattern") cost += added;
    return result;
  };
  return (source) => {
    const known = compiled.get(source) ?? compile(source);
    compiled.set(source, known);
    return known;
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
    const message = `RE2 does not take valuePattern ${quoted(wanted.value)}: ${compiled.reason}`;
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
