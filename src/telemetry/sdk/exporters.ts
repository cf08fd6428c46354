import { BridgeError } from "../../lib/bridge-error.ts";
import type { TelemetryOptions } from "../telemetry.ts";
import type { ExporterPair } from "./exporter-pair.ts";

/**
 * Throws `BridgeError` `telemetry-unusable` when a standard variable holds what no exporter can be made of: an endpoint that is no URL, a
 * header that cannot be sent. Without the cause, which quotes the value of such a header, a credential as a rule.
 */
export async function createExporters(options: TelemetryOptions): Promise<ExporterPair> {
  try {
    return await loadExporters(options);
  } catch {
    throw new BridgeError("telemetry-unusable", "no exporter can be made of what OTEL_EXPORTER_OTLP_* variables say");
  }
}

/** Each kind is loaded when it is the one. */
async function loadExporters({ exporter, writeLine }: TelemetryOptions): Promise<ExporterPair> {
  switch (exporter) {
    case "grpc":
      return (await import("./grpc-exporters.ts")).createGrpcExporters();
    case "http":
      return (await import("./http-exporters.ts")).createHttpExporters();
    case "stdout":
      return (await import("./stdout-exporters.ts")).createStdoutExporters(writeLine);
  }
}
