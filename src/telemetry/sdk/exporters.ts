import type { TelemetryOptions } from "../telemetry.ts";
import type { ExporterPair } from "./exporter-pair.ts";

/** Each kind is loaded when it is the one. */
export async function createExporters({ exporter, writeLine }: TelemetryOptions): Promise<ExporterPair> {
  switch (exporter) {
    case "grpc":
      return (await import("./grpc-exporters.ts")).createGrpcExporters();
    case "http":
      return (await import("./http-exporters.ts")).createHttpExporters();
    case "stdout":
      return (await import("./stdout-exporters.ts")).createStdoutExporters(writeLine);
  }
}
