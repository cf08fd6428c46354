import { diag } from "@opentelemetry/api";
import { setGlobalErrorHandler } from "@opentelemetry/core";
import { detectResources, envDetector, resourceFromAttributes, type Resource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider, type SpanExporter } from "@opentelemetry/sdk-trace";
import { describeCauses } from "../../lib/bridge-error.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Telemetry, TelemetryOptions } from "../telemetry.ts";
import { createExporters } from "./exporters.ts";
import { Histograms } from "./histograms.ts";
import { reportExports } from "./report-exports.ts";
import { createSampler } from "./sampler.ts";
import { createSdkLog } from "./sdk-log.ts";
import { createSdkMetrics } from "./sdk-metrics.ts";
import { createSdkTracing } from "./sdk-tracing.ts";

/** The last spans and metrics get this long at the end: a collector that is not there must not hold the stop up. */
const FLUSH_MS = 3000;
const HURRIED_FLUSH_MS = 250;
const LONGEST_EXPORT_MS = 30_000;
/** Of any one attribute of a span: a caller's user agent must not fill the queue. */
const LONGEST_ATTRIBUTE = 512;
const SCOPE = "chinmina-bridge";

export async function startSdk(options: TelemetryOptions): Promise<Telemetry> {
  const { clock, logger, serviceVersion } = options;
  // The SDK's own log and error handler are one for the process; there is one service in a process.
  diag.setLogger(createSdkLog(options.sdkLogLevel, logger), { suppressOverrideMessage: true });
  setGlobalErrorHandler((error) => diag.debug(describeCauses(error)));
  const exporters = await createExporters(options);
  reportExports(exporters.spans, "traces", logger);
  reportExports(exporters.metrics, "metrics", logger);
  const resource = createResource(options);
  const tracers = createTracers(options, resource, exporters.spans);
  const histograms = new Histograms({
    scope: { name: SCOPE, version: serviceVersion },
    resource,
    temporality:
      exporters.metrics.selectAggregationTemporality?.(InstrumentType.HISTOGRAM) ?? AggregationTemporality.CUMULATIVE,
    nowMs: clock.nowMs,
  });
  const meters = createMeters(options, resource, { exporter: exporters.metrics, histograms });
  let flushMs = FLUSH_MS;
  return {
    hurry: () => void (flushMs = HURRIED_FLUSH_MS),
    tracing: createSdkTracing(tracers.getTracer(SCOPE, serviceVersion)),
    metrics: createSdkMetrics(meters.getMeter(SCOPE, serviceVersion), histograms),
    [Symbol.asyncDispose]: async () => {
      const flushes = Promise.allSettled([tracers.shutdown(), meters.shutdown({ timeoutMillis: flushMs })]);
      const ended = await withinTime(flushes, flushMs, clock);
      if (ended === undefined || ended.some(({ status }) => status === "rejected"))
        logger.warn("the last telemetry was not sent", { withinMs: flushMs });
    },
  };
}

/** `OTEL_RESOURCE_ATTRIBUTES` adds to what the service says of itself, and does not replace it. */
function createResource({ serviceName, serviceVersion, instanceId }: TelemetryOptions): Resource {
  return detectResources({ detectors: [envDetector] }).merge(
    resourceFromAttributes({
      "service.name": serviceName,
      "service.version": serviceVersion,
      "service.instance.id": instanceId,
    }),
  );
}

function createTracers(
  { traceBatchTimeoutMs, sampler }: TelemetryOptions,
  resource: Resource,
  exporter: SpanExporter,
): TracerProvider {
  return new TracerProvider({
    resource,
    sampler: createSampler(sampler),
    spanLimits: { attributeValueLengthLimit: LONGEST_ATTRIBUTE },
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: traceBatchTimeoutMs })],
  });
}

function createMeters(
  { metricsEnabled, metricReadIntervalMs }: TelemetryOptions,
  resource: Resource,
  { exporter, histograms }: { readonly exporter: PushMetricExporter; readonly histograms: Histograms },
): MeterProvider {
  if (!metricsEnabled) return new MeterProvider({ resource });
  const exportTimeoutMillis = Math.min(metricReadIntervalMs, LONGEST_EXPORT_MS);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    metricProducers: [histograms],
    exportIntervalMillis: metricReadIntervalMs,
    exportTimeoutMillis,
  });
  return new MeterProvider({ resource, readers: [reader] });
}

/** Undefined when the time is over first. */
async function withinTime<T>(work: Promise<T>, limitMs: number, clock: Clock): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const cancel = clock.after(limitMs, () => late.resolve(undefined));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}
