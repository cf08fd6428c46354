import type * as MetricExporter from "@opentelemetry/exporter-metrics-otlp-grpc";
import type * as TraceExporter from "@opentelemetry/exporter-trace-otlp-grpc";
import type { ExporterPair } from "./exporter-pair.ts";

// Their ES modules look for @grpc/grpc-js with `createRequire` when the first batch leaves, where a bundler cannot see it and a compiled
// binary has no modules to find; their CommonJS form says `require` plainly.
// oxlint-disable-next-line typescript/no-unsafe-assignment -- `require` has no types
const metrics: typeof MetricExporter = require("@opentelemetry/exporter-metrics-otlp-grpc");
// oxlint-disable-next-line typescript/no-unsafe-assignment
const traces: typeof TraceExporter = require("@opentelemetry/exporter-trace-otlp-grpc");

/** OTLP over gRPC, `http://localhost:4317` unless the standard variables say otherwise. */
export function createGrpcExporters(): ExporterPair {
  return { spans: new traces.OTLPTraceExporter(), metrics: new metrics.OTLPMetricExporter() };
}
