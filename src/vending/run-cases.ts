import type { PolicyCase } from "../profiles/cases.ts";
import { findProfiles } from "../profiles/list-profiles.ts";
import { explainProfile, type ExplainedCaller, type Explanation } from "./explain.ts";

export interface CaseResult {
  readonly policyCase: PolicyCase;
  /** Ambiguous: the file has a pipeline profile and an organization profile of this name. */
  readonly explanation: Explanation | { readonly outcome: "ambiguous" };
  readonly passed: boolean;
}

/** What each case comes to. A profile that is not there never passes: no case can expect it. */
export function runCases(
  cases: readonly PolicyCase[],
  policy: Pick<ExplainedCaller, "generation" | "isAppUsable" | "protectedRepository">,
): readonly CaseResult[] {
  return cases.map((policyCase) => {
    const { profile, claims, repository } = policyCase;
    const [found, another] = findProfiles(policy.generation, profile);
    const explanation = explain();
    return { policyCase, explanation, passed: explanation.outcome === policyCase.expect };

    function explain(): CaseResult["explanation"] {
      if (another !== undefined) return { outcome: "ambiguous" };
      return found === undefined ? { outcome: "not-found" } : explainProfile(found, { ...policy, claims, repository });
    }
  });
}
