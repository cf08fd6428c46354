import type { Configuration } from "../config/configuration.ts";
import type { Clock } from "../lib/clock.ts";
import { startTelemetry } from "../telemetry/start-telemetry.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Output } from "./output.ts";

/** Undefined with `OBSERVE_ENABLED=false`: nothing of OpenTelemetry is loaded then. */
export async function openTelemetry(
  { observe }: Configuration,
  { lines, logger, writeLine }: Output,
  version: string,
  clock: Clock,
): Promise<Telemetry | undefined> {
  if (!observe.enabled) return undefined;
  const telemetry = await startTelemetry({
    ...observe,
    serviceVersion: version,
    instanceId: lines.instance,
    clock,
    logger,
    writeLine,
  });
  telemetry.metrics.gauge("audit.pending.size", () => [{ value: lines.pendingSize, attributes: {} }]);
  return telemetry;
}
