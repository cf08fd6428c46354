import type { Clock } from "../lib/clock.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import type { Tracing } from "./tracing.ts";

export interface TelemetryOptions {
  readonly exporter: "grpc" | "http" | "stdout";
  readonly metricsEnabled: boolean;
  readonly traceBatchTimeoutMs: number;
  readonly metricReadIntervalMs: number;
  readonly sdkLogLevel: "debug" | "info" | "warn" | "off";
  readonly sampler: Sampler;
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** That of the audit lines: it tells instances apart, whose counters would otherwise be taken for one another's. */
  readonly instanceId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes whole lines for standard output; may drop them. */
  readonly writeLine: (line: string) => void;
}

/** Which requests are traced. `parentBased`: a caller that sends a trace has decided already. */
export interface Sampler {
  readonly parentBased: boolean;
  /** From 0, none, to 1, all. */
  readonly ratio: number;
}

/**
 * OpenTelemetry, on. Exports in the background: nothing that is counted or traced waits for a collector, and what waits for one is
 * bounded (2,048 spans; one state a metric).
 * Disposing sends what there is, three seconds at most.
 */
export interface Telemetry extends AsyncDisposable {
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** From now on disposing waits a moment only: the process is told to end at once. */
  readonly hurry: () => void;
}
