import { inspectStandardOutput } from "../audit/standard-output.ts";
import { describeConfiguration } from "../config/describe-configuration.ts";
import type { ServerConfiguration } from "../config/configuration.ts";
import type { Environment } from "../config/environment-reader.ts";
import { readConfiguration, type ConfigurationResult } from "../config/read-configuration.ts";
import { boundedFetch } from "../lib/bounded-fetch.ts";
import { systemClock } from "../lib/clock.ts";
import { configurationChecks } from "./configuration-checks.ts";
import { reportLogDriver } from "./ecs-log-driver.ts";
import { openOutput, OUTPUT_CLOSED, type Output } from "./output.ts";
import { describeStartFailure, withNextStep } from "./start-failure.ts";
import { startService, type RunningService } from "./service.ts";
import { openTelemetry } from "./telemetry.ts";
import { listenForSignals, unlessAborted, untilAborted, type Signals } from "./signals.ts";

const STOPPED_EARLY = withNextStep(
  "told to stop before the service had a policy",
  "stopped-early",
  "the log tells why the profile file could not be read, chinmina-bridge doctor what to do",
);

/**
 * Serves until a signal ends it. Resolves with the exit status: 0 after an orderly stop; 1 when the configuration is wrong, when the
 * service cannot start, when a signal comes while it still waits for its first policy, or when a second signal ends the stop itself.
 * One line for each problem is handed to `complain`.
 */
export async function serve(
  environment: Environment,
  complain: (line: string) => void,
  version: string,
): Promise<number> {
  const result = readConfiguration(environment, configurationChecks);
  for (const { variable, warning } of result.kind === "invalid" ? result.warnings : [])
    complain(`warning: ${variable} ${warning}`);
  if (result.kind === "invalid") {
    for (const { variable, problem, accepted } of result.problems)
      complain(`${variable} ${problem}; accepted: ${accepted}`);
    return 1;
  }
  using signals = listenForSignals();
  const kind = inspectStandardOutput();
  if (kind === "closed") {
    complain(OUTPUT_CLOSED);
    return 1;
  }
  if (kind === "discarded")
    complain("warning: standard output is /dev/null: nobody will have the audit lines; send it where they are kept");
  await using output = openOutput({ kind, logging: result.configuration.logging, clock: systemClock, complain });
  const { logger } = output;
  for (const { variable, warning } of result.warnings) logger.warn(`${variable} ${warning}`);
  try {
    return await serveObserved(result, { output, signals, version });
  } catch (error) {
    if (signals.stop.aborted) complain(STOPPED_EARLY);
    else if (!output.closed.aborted) complain(describeStartFailure(error));
    return 1;
  }
}

interface Surroundings {
  readonly output: Output;
  readonly signals: Signals;
  readonly version: string;
}

/** The service between the start of telemetry and its last flush, before which the service ends and after which the output does. */
async function serveObserved(
  result: Extract<ConfigurationResult, { readonly kind: "valid" }>,
  { output, signals, version }: Surroundings,
): Promise<number> {
  const { configuration } = result;
  const { logger } = output;
  await using telemetry = await openTelemetry(configuration, output, version, systemClock);
  const { containerMetadataUrl: metadataUrl } = configuration;
  if (metadataUrl !== undefined) {
    void reportLogDriver({ metadataUrl, fetch: boundedFetch, logger, metrics: telemetry?.metrics });
  }
  const end = AbortSignal.any([signals.stop, output.closed]);
  const service = await unlessAborted(end, startService(configuration, { ...output, telemetry }, end));
  signals.onHangup = service.refreshPolicy;
  logger.info("listening", { port: service.port, ...describeConfiguration(result) });
  await untilAborted(end);
  const status = output.closed.aborted ? 1 : await stop(service, configuration.server, signals);
  if (status !== 0) output.abandon();
  if (signals.isForced()) telemetry?.hurry();
  return status;
}

/**
 * Goes on accepting for the drain delay, because a load balancer still routes for a moment; then finishes what is in flight within the
 * time-out. A second signal ends it at once.
 */
async function stop(service: RunningService, server: ServerConfiguration, signals: Signals): Promise<number> {
  const { drainDelayMs, shutdownTimeoutMs } = server;
  service.logger.info("stopping", { drainDelayMs, shutdownTimeoutMs });
  const orderly = (async () => {
    await pause(drainDelayMs);
    await Promise.race([service[Symbol.asyncDispose](), pause(shutdownTimeoutMs)]);
    return 0;
  })();
  return Promise.race([orderly, signals.force.then(() => 1)]);
}

async function pause(delayMs: number): Promise<void> {
  if (delayMs > 0) await new Promise<void>((resolve) => systemClock.after(delayMs, resolve));
}
