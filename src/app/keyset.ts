import type { KeysetSource } from "../config/configuration.ts";
import { startKeysetHolder, type KeysetHolder, type KeysetObserver } from "../keyset/keyset-holder.ts";
import type { KeysetSummary } from "../keyset/keyset-summary.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { AwsStage } from "./aws.ts";
import { createKeysetPlace } from "./keyset-place.ts";
import { createKeysetTelemetry, traceKeysetReadings } from "./observe/refreshes.ts";

export interface KeysetParts {
  readonly aws: AwsStage;
  readonly awsTraces: Telemetry | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stop: AbortSignal;
  readonly telemetry: Telemetry | undefined;
}

/** The keyset in force, kept fresh. Rejects with `KeysetFailure`, which names the step, after three tries within 30 seconds. */
export function startKeyset(
  source: KeysetSource,
  { aws, awsTraces, clock, logger, stop: signal, telemetry }: KeysetParts,
): Promise<KeysetHolder> {
  const place = createKeysetPlace(source, aws, awsTraces);
  const store = telemetry === undefined ? place.store : traceKeysetReadings(place.store, telemetry.tracing);
  const observers = [createReport(logger), ...(telemetry ? [createKeysetTelemetry(telemetry.metrics, clock)] : [])];
  return startKeysetHolder({ store, clock, jitter: Math.random, observer: toAll(observers), signal });
}

function toAll(observers: readonly KeysetObserver[]): KeysetObserver {
  return {
    changed: (after, before) => observers.forEach(({ changed }) => changed(after, before)),
    confirmed: () => observers.forEach(({ confirmed }) => confirmed()),
    refreshFailed: (error) => observers.forEach(({ refreshFailed }) => refreshFailed(error)),
  };
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
