import { configurationChecks } from "../../../src/app/configuration-checks.ts";
import type { Output } from "../../../src/app/output.ts";
import { startService } from "../../../src/app/service.ts";
import { createLogLines } from "../../../src/audit/log-lines.ts";
import { OutputLines } from "../../../src/audit/output-lines.ts";
import { readConfiguration } from "../../../src/config/read-configuration.ts";
import { boundedFetch, type BoundedFetch } from "../../../src/lib/bounded-fetch.ts";
import { createJsonLogger } from "../../../src/telemetry/logger.ts";
import type { ScaledClock } from "./scaled-clock.ts";
import type { RunningSubject } from "./subject.ts";

export interface ScaledMachine {
  readonly clock: ScaledClock;
  readonly fetch: BoundedFetch;
}

/** The real exchange with its deadlines scaled; `rewrite` may send a request elsewhere. */
export function createMachine(clock: ScaledClock, rewrite: (url: string) => string): ScaledMachine {
  return {
    clock,
    fetch: (request) =>
      boundedFetch({ ...request, url: rewrite(request.url), timeoutMs: Math.ceil(request.timeoutMs / clock.scale) }),
  };
}

/** Standard output that is kept. */
export function createOutput(clock: ScaledClock): { readonly output: Output; readonly text: () => string } {
  const texts: string[] = [];
  const lines = new OutputLines({
    sink: {
      send: (text) => {
        texts.push(text);
        return undefined;
      },
    },
    instance: "instance-under-test",
    clock,
    onFailure: () => undefined,
  });
  const writeLine = createLogLines(lines, clock);
  const output: Output = {
    lines,
    writeLine,
    logger: createJsonLogger("debug", clock.nowMs, writeLine),
    closed: new AbortController().signal,
    abandon: () => undefined,
    [Symbol.asyncDispose]: () => lines[Symbol.asyncDispose](),
  };
  return { output, text: () => texts.join("") };
}

/** Rejects as `startService` does, and with all problems of the configuration. */
export async function startUnderTest(
  environment: Readonly<Record<string, string>>,
  machine: ScaledMachine,
  output: Output,
  stop: AbortSignal,
): Promise<RunningSubject> {
  const result = readConfiguration(environment, configurationChecks);
  if (result.kind === "invalid") throw new TypeError(`configuration: ${JSON.stringify(result.problems)}`);
  const service = await startService(result.configuration, { ...output, telemetry: undefined }, stop, machine);
  return { port: service.port, stop: async () => service[Symbol.asyncDispose]() };
}
