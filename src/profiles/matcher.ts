import { isMatchableValue } from "./claim.ts";
import type { AttemptedPattern, ClaimMatch, ClaimRule, MatchRules } from "./policy.ts";

/**
 * Rules joined by AND. Every value that any rule reads is validated before any rule is tried, so that no rule, in no order,
 * ever sees a value that may not be matched. Every rule is tried, so that the audit entry has all that did not hold.
 */
export function createMatchRules(rules: readonly ClaimRule[]): MatchRules {
  const claims = [...new Set(rules.map(({ claim }) => claim))];
  return {
    rules,
    evaluate: (values) => {
      const invalid = claims.find((claim) => !isMatchableValue(values.get(claim) ?? ""));
      if (invalid !== undefined) return { kind: "invalid-claim", claim: invalid };
      const matches: ClaimMatch[] = [];
      const attempted: AttemptedPattern[] = [];
      for (const rule of rules) {
        const value = values.get(rule.claim) ?? "";
        if (ruleHolds(rule, value)) matches.push({ claim: rule.claim, value });
        else attempted.push({ claim: rule.claim, pattern: patternOf(rule), value });
      }
      return attempted.length > 0 ? { kind: "refused", attempted } : { kind: "matched", matches };
    },
  };
}

/** Whether one rule holds for this value of its claim. An absent or empty claim (`""`) never matches, whatever the pattern. */
export function ruleHolds(rule: ClaimRule, value: string): boolean {
  if (value === "") return false;
  return rule.kind === "value" ? rule.value === value : rule.pattern.matches(value);
}

function patternOf(rule: ClaimRule): string {
  return rule.kind === "value" ? rule.value : rule.pattern.source;
}
