import type { Explanation, FailedRule } from "../../vending/explain.ts";
import { green, red, yellow } from "../style.ts";
import type { Cell } from "../table.ts";

export interface ExplainedProfile {
  /** `repo:NAME` or `org:NAME`. */
  readonly label: string;
  readonly explanation: Explanation;
}

/** The documented JSON of one profile. `failedRule` is the first rule that does not hold; `actual` is null for an absent claim. */
export function explanationJson({ label, explanation }: ExplainedProfile): Readonly<Record<string, unknown>> {
  const head = { profile: label, outcome: explanation.outcome };
  switch (explanation.outcome) {
    case "granted":
      return { ...head, request: explanation.request };
    case "refused":
      return { ...head, ...failedRuleOf(explanation.failedRules), ...reasonsOf(explanation.reasons) };
    case "needs-scope":
      return { ...head, ...failedRuleOf(explanation.failedRules) };
    case "unavailable":
      return { ...head, reasons: explanation.reasons };
    case "not-found":
      return head;
  }
}

/** The same for people, with every rule that does not hold. */
export function explanationRow({ label, explanation }: ExplainedProfile): readonly Cell[] {
  const { outcome } = explanation;
  const style = outcome === "granted" ? green : outcome === "needs-scope" ? yellow : red;
  return [{ text: label }, { text: outcome, style }, { text: describe(explanation) }];
}

export function describe(explanation: Explanation): string {
  switch (explanation.outcome) {
    case "granted": {
      const { app, permissions, repositories } = explanation.request;
      const names = Object.entries(permissions).map(([field, action]) => `${field}:${action}`);
      return `${names.join(", ")} on ${repositories.join(", ")}${app === "default" ? "" : `, by the App ${app}`}`;
    }
    case "refused":
      return [...explanation.failedRules.map(describeRule), ...explanation.reasons].join("; ");
    case "needs-scope": {
      const then = explanation.failedRules.map(describeRule);
      const refusal = then.length === 0 ? "" : `; it would be refused then: ${then.join("; ")}`;
      return `the job must name a repository: --repository NAME${refusal}`;
    }
    case "unavailable":
      return explanation.reasons.join("; ");
    case "not-found":
      return "the file has no such profile";
  }
}

function describeRule({ rule, actual }: FailedRule): string {
  const is = actual === undefined ? "is absent" : `is ${JSON.stringify(actual)}`;
  const wanted =
    rule.kind === "value" ? JSON.stringify(rule.value) : `a match of ${JSON.stringify(rule.pattern.source)}`;
  return `${rule.claim} ${is}, not ${wanted}`;
}

function failedRuleOf([first]: readonly FailedRule[]): Readonly<Record<string, unknown>> {
  if (first === undefined) return {};
  const { rule, actual } = first;
  const wanted = rule.kind === "value" ? { value: rule.value } : { valuePattern: rule.pattern.source };
  return { failedRule: { claim: rule.claim, ...wanted, actual: actual ?? null } };
}

function reasonsOf(reasons: readonly string[]): Readonly<Record<string, unknown>> {
  return reasons.length === 0 ? {} : { reasons };
}
