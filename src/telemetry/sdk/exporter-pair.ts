import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { SpanExporter } from "@opentelemetry/sdk-trace";

export interface ExporterPair {
  readonly spans: SpanExporter;
  readonly metrics: PushMetricExporter;
}
