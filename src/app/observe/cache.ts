import type { CacheObserver } from "../../cache/observer.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { ValkeyObserver } from "../../valkey/events.ts";

/** Cache work as metrics and on the active span. */
export function createCacheTelemetry({ tracing, metrics }: Telemetry): Required<Omit<CacheObserver, "unused">> {
  return {
    operated: ({ level, operation, status, durationMs }) => {
      const cache = { "cache.type": level, "cache.operation": operation } as const;
      metrics.count("cache.operations", { ...cache, "cache.status": status });
      if (durationMs !== undefined) metrics.record("cache.operation.duration", durationMs / 1000, cache);
      tracing.annotate(`cache.${operation}`, {
        "cache.type": level,
        [`cache.${operation}.status`]: status,
        ...(durationMs === undefined ? {} : { [`cache.${operation}.duration`]: durationMs / 1000 }),
      });
    },
    renewal: (outcome) => metrics.count("cache.renewals", { outcome }),
    ciphered: ({ operation, outcome, durationMs }) => {
      const cipher = { "encryption.operation": operation, "encryption.outcome": outcome } as const;
      metrics.count("cache.encryption.total", cipher);
      metrics.record("cache.encryption.duration", durationMs / 1000, cipher);
      tracing.annotate(`cache.${operation}`, {
        [`cache.${operation}.outcome`]: outcome,
        [`cache.${operation}.duration`]: durationMs / 1000,
      });
    },
  };
}

/** Whether any server of the shared cache is in use. */
export function createValkeyGauge({ metrics }: Telemetry): ValkeyObserver {
  const inUse = new Set<string>();
  metrics.gauge("cache.valkey.state", () => [{ value: inUse.size > 0 ? 1 : 0, attributes: {} }]);
  return (event) => {
    if (event.kind === "state" && event.state === "up") inUse.add(event.server);
    else if (event.kind === "state" || event.kind === "forgotten") inUse.delete(event.server);
  };
}
