import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { ExporterPair } from "./exporter-pair.ts";

/** OTLP as protobuf over HTTP, `http://localhost:4318` unless the standard variables say otherwise. */
export function createHttpExporters(): ExporterPair {
  return { spans: new OTLPTraceExporter(), metrics: new OTLPMetricExporter() };
}
