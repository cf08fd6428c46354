import type { RenewalOutcome } from "../cache/observer.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Between two lines about an outage that comes and goes: some tokens may be renewed while others may not. */
const QUIET_MS = 60_000;

/** Logs when tokens can no longer be renewed ahead of time, and when they can again: a line each, not one for every token. */
export function createRenewalReport(logger: Logger, clock: Clock): (outcome: RenewalOutcome) => void {
  let isFailing = false;
  let failedTries = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  const isQuiet = (): boolean => clock.monotonicMs() - toldAtMs < QUIET_MS;

  return (outcome) => {
    switch (outcome) {
      case "outage":
        failedTries += 1;
        if (isFailing || isQuiet()) return;
        isFailing = true;
        toldAtMs = clock.monotonicMs();
        return logger.warn("cached tokens cannot be renewed; those held serve on");
      case "renewed":
      case "adopted":
        if (!isFailing || isQuiet()) return;
        isFailing = false;
        toldAtMs = clock.monotonicMs();
        logger.info("cached tokens are renewed again", { failedTries });
        failedTries = 0;
        return undefined;
      case "refused":
      case "failed":
        return logger.info("a cached token was not renewed and serves no more", { outcome });
    }
  };
}
