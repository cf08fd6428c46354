import type { Finding } from "../profiles/finding.ts";
import type { RefreshOutcome } from "../profiles/refresh-once.ts";
import type { RefreshTrigger } from "../profiles/refresh.ts";
import type { Logger } from "../telemetry/logger.ts";

/** One log line for what a refresh came to, and one for each profile that nobody may use, with every reason. */
export function reportRefresh(outcome: RefreshOutcome, trigger: RefreshTrigger, logger: Logger): void {
  if (outcome.kind === "failed") {
    const why =
      outcome.cause === "unreadable"
        ? { reason: outcome.message }
        : { digest: outcome.digest, reason: listed(outcome.findings) };
    logger.error("profile refresh failed", { trigger, cause: outcome.cause, ...why });
    return;
  }
  const { digest, previousDigest, inspection, losses } = outcome;
  const changed = digest !== previousDigest;
  const level = changed || trigger === "request" ? "info" : "debug";
  logger[level]("profile refreshed", { trigger, digest, changed, ...inspection.counts });
  for (const { label, at, reasons } of inspection.invalid) {
    logger.warn("profile unavailable", { profile: label, ...at, reasons });
  }
  for (const { severity, code, message, line, column, profile } of changed ? inspection.findings : []) {
    if (severity === "warning") logger.warn("profile warning", { code, detail: message, line, column, profile });
  }
  if (losses.includes("turned-empty")) logger.warn("the profile file has turned empty");
  if (losses.includes("lost-defaults"))
    logger.warn("the profile file has lost pipeline.defaults: contents:read is the default now");
}

function listed(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ line, column, message }) => `${line}:${column} ${message}`);
}
