import type { ConfigurationResult } from "../config/read-configuration.ts";
import { type Check, problem, worstOf } from "./check.ts";

/** What `config check` tells, a check for each variable that something is to be said about. */
export function checkConfiguration(result: ConfigurationResult, durationMs: number): Check {
  const problems = result.kind === "valid" ? [] : result.problems;
  const checks = [
    ...problems.map(({ variable, problem: what, accepted }) =>
      problem(variable, "failed", "configuration-invalid", what, `accepted: ${accepted}`),
    ),
    ...result.warnings.map(({ variable, warning }) => problem(variable, "warning", "configuration-warning", warning)),
  ];
  const detail = result.kind === "valid" ? "the service would take it" : "the service would not start with it";
  return { name: "configuration", outcome: checks.length === 0 ? "ok" : worstOf(checks), detail, durationMs, checks };
}
