import { ExportResultCode } from "@opentelemetry/core";
import { JsonMetricsSerializer, JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import type { ExporterPair } from "./exporter-pair.ts";

/**
 * OTLP as lines of JSON (opentelemetry.io/docs/specs/otel/protocol/file-exporter) through the one writer of standard output, which may
 * drop them when it is stuck. A span or a metric a line: log drivers split long ones.
 */
export function createStdoutExporters(writeLine: (line: string) => void): ExporterPair {
  const write = (bytes: Uint8Array | undefined): void => {
    if (bytes !== undefined) writeLine(new TextDecoder().decode(bytes));
  };
  const done = Promise.resolve();
  const spans: SpanExporter = {
    export: (batch, tell) => {
      for (const span of batch) write(JsonTraceSerializer.serializeRequest([span]));
      tell({ code: ExportResultCode.SUCCESS });
    },
    forceFlush: () => done,
    shutdown: () => done,
  };
  const metrics: PushMetricExporter = {
    export: ({ resource, scopeMetrics }, tell) => {
      for (const { scope, metrics: all } of scopeMetrics) {
        for (const metric of all) {
          write(JsonMetricsSerializer.serializeRequest({ resource, scopeMetrics: [{ scope, metrics: [metric] }] }));
        }
      }
      tell({ code: ExportResultCode.SUCCESS });
    },
    forceFlush: () => done,
    shutdown: () => done,
  };
  return { spans, metrics };
}
