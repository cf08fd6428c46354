import { REMEDIES, type ProblemCode } from "./remedies.ts";

/** From good to bad. `skipped`: not configured, or of no use after what failed before it. */
export const OUTCOMES = ["ok", "skipped", "warning", "failed"] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** One thing that was looked at, with what was looked at within it. */
export interface Check {
  readonly name: string;
  /** The worst of its own and of all within it. */
  readonly outcome: Outcome;
  /** Present for the check itself that found a problem, not for those around it. */
  readonly problem?: { readonly code: ProblemCode; readonly remedy: string };
  /** What was found, for people; holds no secret, and may quote what others said. Empty for a check that only has others within it. */
  readonly detail: string;
  readonly durationMs: number;
  readonly checks: readonly Check[];
}

/** What one check comes to. A warning lets those behind it go on. */
export type Finding<Value> =
  | { readonly outcome: "ok"; readonly detail: string; readonly value: Value; readonly checks?: readonly Check[] }
  | { readonly outcome: "warning"; readonly code: ProblemCode; readonly detail: string; readonly value: Value }
  | { readonly outcome: "failed"; readonly code: ProblemCode; readonly detail: string };

export function ok<Value>(detail: string, value: Value, checks: readonly Check[] = []): Finding<Value> {
  return { outcome: "ok", detail, value, checks };
}

export function warning<Value>(code: ProblemCode, detail: string, value: Value): Finding<Value> {
  return { outcome: "warning", code, detail, value };
}

export function failed(code: ProblemCode, detail: string): Finding<never> {
  return { outcome: "failed", code, detail };
}

/** A check that found a problem without being run: one of several things that another check found at once. */
export function problem(
  name: string,
  outcome: "warning" | "failed",
  code: ProblemCode,
  detail: string,
  remedy: string = REMEDIES[code],
): Check {
  return { name, outcome, problem: { code, remedy }, detail, durationMs: 0, checks: [] };
}

export function worstOf(checks: readonly Check[]): Outcome {
  const ranks = checks.map(({ outcome }) => OUTCOMES.indexOf(outcome));
  // What was left out does not make what is around it any worse, unless there is nothing else.
  const looked = ranks.filter((rank) => rank !== OUTCOMES.indexOf("skipped"));
  const worst = looked.length === 0 ? Math.max(0, ...ranks) : Math.max(...looked);
  return OUTCOMES[worst] ?? "failed";
}

/** The worst last, where a terminal leaves the eye, at every level; those alike in their order. */
export function worstLast(checks: readonly Check[]): readonly Check[] {
  const rank = ({ outcome }: Check): number => OUTCOMES.indexOf(outcome);
  return checks.map(withWorstLast).sort((a, b) => rank(a) - rank(b));
}

function withWorstLast(check: Check): Check {
  return { ...check, checks: worstLast(check.checks) };
}
