import type { Telemetry, TelemetryOptions } from "./telemetry.ts";

/** Loads the SDK, which costs nothing before. Exporters read the standard `OTEL_EXPORTER_OTLP_*` variables by themselves. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { startSdk } = await import("./sdk/start.ts");
  return startSdk(options);
}
