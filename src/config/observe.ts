import type { ObserveConfiguration } from "./configuration.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { choice, flag, read, refused, seconds, passwordSecret, lineOfText, type Format } from "./format.ts";
import { serviceUrl } from "./url-format.ts";
import { variablesOf } from "./variable.ts";

const { defaulted, optional } = variablesOf("observe");

const line = lineOfText("text without control characters");

const sdkLogLevel: Format<ObserveConfiguration["sdkLogLevel"]> = {
  accepted: "debug, info or warn; anything else turns it off",
  read: (value) => read(value === "debug" || value === "info" || value === "warn" ? value : "off"),
};

const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

const ratio: Format<number> = {
  accepted: "a number from 0 to 1",
  read: (value) =>
    /^(0|1|0?\.\d+|[01]\.\d+)$/.test(value) && Number(value) <= 1
      ? read(Number(value))
      : refused("is not a number from 0 to 1"),
};

/** OpenTelemetry and profiling. */
export const OBSERVE = {
  enabled: defaulted({
    name: "OBSERVE_ENABLED",
    default: "false",
    meaning: "Traces and metrics through OpenTelemetry; the standard OTEL_* variables say where to.",
    format: flag,
  }),
  exporter: defaulted({
    name: "OBSERVE_TYPE",
    default: "grpc",
    meaning: "The exporter: OTLP over gRPC, OTLP protobuf over HTTP, or standard output.",
    format: choice("grpc", "http", "stdout"),
  }),
  metricsEnabled: defaulted({
    name: "OBSERVE_METRICS_ENABLED",
    default: "true",
    meaning: "Whether metrics are sent beside traces.",
    format: flag,
  }),
  serviceName: defaulted({
    name: "OBSERVE_SERVICE_NAME",
    default: "chinmina-bridge",
    meaning: "The resource attribute service.name.",
    format: line,
  }),
  traceBatchTimeoutMs: defaulted({
    name: "OBSERVE_TRACE_BATCH_TIMEOUT_SECS",
    default: "20",
    meaning: "The longest that spans wait to be sent.",
    format: seconds(1, 86_400),
  }),
  metricReadIntervalMs: defaulted({
    name: "OBSERVE_METRIC_READ_INTERVAL_SECS",
    default: "60",
    meaning: "How often metrics are sent.",
    format: seconds(1, 86_400),
  }),
  httpTransportEnabled: defaulted({
    name: "OBSERVE_HTTP_TRANSPORT_ENABLED",
    default: "true",
    meaning: "Client spans for calls to upstreams, and http.client.request.duration.",
    format: flag,
  }),
  connectionTraceEnabled: defaulted({
    name: "OBSERVE_CONNECTION_TRACE_ENABLED",
    default: "true",
    meaning:
      "Connection timings on client spans, where the runtime shows them: this one does not, so it changes nothing.",
    format: flag,
  }),
  sdkLogLevel: defaulted({
    name: "OBSERVE_OTEL_LOG_LEVEL",
    default: "info",
    meaning: "The level of OpenTelemetry's own log.",
    format: sdkLogLevel,
  }),
  sampler: defaulted({
    name: "OTEL_TRACES_SAMPLER",
    default: "parentbased_always_on",
    meaning: "Which requests are traced. With parentbased_… a caller that sends a trace context decides.",
    format: choice(...SAMPLERS),
  }),
  samplerRatio: optional({
    name: "OTEL_TRACES_SAMPLER_ARG",
    whenUnset: "1",
    meaning: "The share of traces that the traceidratio samplers keep.",
    format: ratio,
  }),
  pyroscopeEnabled: defaulted({
    name: "OBSERVE_PYROSCOPE_ENABLED",
    default: "false",
    meaning:
      "Send profiles to Pyroscope: not in this version, which warns instead. Needs OBSERVE_PYROSCOPE_SERVER_ADDRESS.",
    format: flag,
  }),
  pyroscopeServerAddress: optional({
    name: "OBSERVE_PYROSCOPE_SERVER_ADDRESS",
    whenUnset: "required with OBSERVE_PYROSCOPE_ENABLED",
    meaning: "The Pyroscope server.",
    format: serviceUrl,
  }),
  pyroscopeBasicAuthUser: optional({
    name: "OBSERVE_PYROSCOPE_BASIC_AUTH_USER",
    whenUnset: "no authentication",
    meaning: "The user for it.",
    format: line,
  }),
  pyroscopeBasicAuthPassword: optional({
    name: "OBSERVE_PYROSCOPE_BASIC_AUTH_PASSWORD",
    whenUnset: "no authentication",
    meaning: "That user's password.",
    secret: true,
    format: passwordSecret("the password alone, in one line"),
  }),
  pyroscopeExperiment: optional({
    name: "OBSERVE_PYROSCOPE_EXPERIMENT",
    whenUnset: "no tag",
    meaning: "The value of an experiment tag on profiles.",
    format: line,
  }),
} as const;

export function readObserve(reader: EnvironmentReader): ObserveConfiguration {
  const pyroscope = readPyroscope(reader);
  return {
    enabled: reader.read(OBSERVE.enabled),
    exporter: reader.read(OBSERVE.exporter),
    metricsEnabled: reader.read(OBSERVE.metricsEnabled),
    serviceName: reader.read(OBSERVE.serviceName),
    traceBatchTimeoutMs: reader.read(OBSERVE.traceBatchTimeoutMs),
    metricReadIntervalMs: reader.read(OBSERVE.metricReadIntervalMs),
    httpTransportEnabled: reader.read(OBSERVE.httpTransportEnabled),
    connectionTraceEnabled: reader.read(OBSERVE.connectionTraceEnabled),
    sdkLogLevel: reader.read(OBSERVE.sdkLogLevel),
    sampler: readSampler(reader),
    ...(pyroscope === undefined ? {} : { pyroscope }),
  };
}

function readSampler(reader: EnvironmentReader): ObserveConfiguration["sampler"] {
  const name = reader.read(OBSERVE.sampler);
  const share = reader.read(OBSERVE.samplerRatio) ?? 1;
  const parentBased = name.startsWith("parentbased_");
  if (name.endsWith("always_off")) return { parentBased, ratio: 0 };
  return { parentBased, ratio: name.endsWith("traceidratio") ? share : 1 };
}

function readPyroscope(reader: EnvironmentReader): ObserveConfiguration["pyroscope"] {
  const enabled = reader.read(OBSERVE.pyroscopeEnabled);
  const serverAddress = reader.read(OBSERVE.pyroscopeServerAddress);
  const basicAuthUser = reader.read(OBSERVE.pyroscopeBasicAuthUser);
  const basicAuthPassword = reader.read(OBSERVE.pyroscopeBasicAuthPassword);
  const experiment = reader.read(OBSERVE.pyroscopeExperiment);
  if (enabled && !reader.isSet(OBSERVE.pyroscopeServerAddress)) {
    reader.refuse(OBSERVE.pyroscopeServerAddress, "is required with OBSERVE_PYROSCOPE_ENABLED");
  }
  if (!enabled || serverAddress === undefined) return undefined;
  reader.warn(OBSERVE.pyroscopeEnabled, "is true: this version sends no profiles");
  return {
    serverAddress,
    ...(basicAuthUser === undefined ? {} : { basicAuthUser }),
    ...(basicAuthPassword === undefined ? {} : { basicAuthPassword }),
    ...(experiment === undefined ? {} : { experiment }),
  };
}
