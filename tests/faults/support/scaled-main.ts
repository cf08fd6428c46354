/**
 * The service on scaled time, as a process: `SCALE` says how much faster than the real one its clock runs. Everything else is as the
 * program does it, standard output and signals included.
 */
import { inspectStandardOutput } from "../../../src/audit/standard-output.ts";
import { configurationChecks } from "../../../src/app/configuration-checks.ts";
import { openOutput } from "../../../src/app/output.ts";
import { startService } from "../../../src/app/service.ts";
import { listenForSignals, untilAborted } from "../../../src/app/signals.ts";
import { readConfiguration } from "../../../src/config/read-configuration.ts";
import { createScaledClock } from "./scaled-clock.ts";
import { createMachine } from "./service.ts";

const clock = createScaledClock(Number(process.env["SCALE"]));
const result = readConfiguration(process.env, configurationChecks);
if (result.kind === "invalid") throw new TypeError(JSON.stringify(result.problems));
const { logging } = result.configuration;
using signals = listenForSignals();
await using output = openOutput({ kind: inspectStandardOutput(), logging, clock, complain: console.error });
const machine = createMachine(clock, (url) => url);
await using service = await startService(
  result.configuration,
  { lines: output.lines, logger: output.logger, telemetry: undefined },
  signals.stop,
  machine,
);
output.logger.info("listening", { port: service.port });
await untilAborted(signals.stop);
