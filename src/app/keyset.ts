import type { KeysetSource } from "../config/configuration.ts";
import { startKeysetHolder, type KeysetHolder, type KeysetObserver } from "../keyset/keyset-holder.ts";
import type { KeysetSummary } from "../keyset/keyset-summary.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AwsStage } from "./aws.ts";
import { createKeysetPlace } from "./keyset-place.ts";

/** The keyset in force, kept fresh. Rejects with `KeysetFailure`, which names the step, after three tries within 30 seconds. */
export function startKeyset(
  source: KeysetSource,
  aws: AwsStage,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<KeysetHolder> {
  const { store } = createKeysetPlace(source, aws);
  return startKeysetHolder({ store, clock, jitter: Math.random, observer: createReport(logger), signal });
}

function createReport(logger: Logger): KeysetObserver {
  return {
    changed: (after, before) =>
      logger.info("keyset in force", { ...idsOf(after), ...(before === undefined ? {} : { before: idsOf(before) }) }),
    confirmed: () => logger.debug("keyset read again, unchanged"),
    refreshFailed: (error) =>
      logger.warn("keyset could not be read again; the one in force stays", { reason: describeCauses(error) }),
  };
}

function idsOf({ primaryKeyId, keys }: KeysetSummary): object {
  return { primaryKeyId, keys: keys.map(({ keyId, status }) => `${keyId} ${status}`) };
}
