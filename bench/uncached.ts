/**
 * What the service adds to its upstream calls when it has no token yet: the time of each request by its audit line, less the time that
 * Buildkite and GitHub took to answer for it. Needs dist/chinmina-bridge.
 *
 *   bun bench/uncached.ts [SECONDS] [ROUNDS]
 *
 * One request at a time, each of another pipeline: what is measured is the service, not how the simulator and it share the cores. They are sent by this script, because each must be for a pipeline without a token: no load generator
 * knows when those are used up.
 */
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { startBinary, type Contender } from "./load/contender.ts";
import { cpuSeconds, leaveServerCores, median, quantile } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { count, publish, time } from "./load/report.ts";
import { ask, type AskedRequest } from "./load/requests.ts";
import { createSurroundings } from "./load/surroundings.ts";

const DELAYS_MS = [0, 100];
const PIPELINES = 20_000;

interface Timed {
  readonly totalMs: number;
  readonly upstreamMs: number;
}

leaveServerCores();
await using surroundings = await createSurroundings(PIPELINES);
const { simulator } = surroundings;
let delayMs = 0;
let upstreamMs = 0;
simulator.interceptor = async (_request, _upstream, proceed) => {
  const startedMs = performance.now();
  if (delayMs > 0) await Bun.sleep(delayMs);
  const response = await proceed();
  upstreamMs += performance.now() - startedMs;
  return response;
};
await using bridge = await startBinary("bridge", { ...surroundings.environment, ...IMAGE_SETTINGS }, { keepAll: true });
const perRun = Math.min(Math.floor(PIPELINES / (LENGTH.rounds * DELAYS_MS.length)), 2000);
const requests = surroundings.ofEachPipeline("/token", perRun * LENGTH.rounds * DELAYS_MS.length);
for (const request of requests.splice(0, 20)) await ask(bridge, request);

const cpuBefore = cpuSeconds(bridge.pid);
const runs = DELAYS_MS.map((): Timed[] => []);
for (let round = 0; round < LENGTH.rounds; round++) {
  for (const [index, delay] of DELAYS_MS.entries()) {
    say(`upstream ${delay} ms, ${round + 1} of ${LENGTH.rounds}`);
    delayMs = delay;
    runs[index]?.push(...(await askFor(LENGTH.seconds, bridge, requests)));
  }
}
const rows = DELAYS_MS.map((delay, index) => {
  const of = runs[index] ?? [];
  const added = of.map((one) => one.totalMs - one.upstreamMs);
  return {
    delay,
    requests: of.length,
    totalMs: median(of.map((one) => one.totalMs)),
    addedMs: median(added),
    addedP99Ms: quantile(added, 0.99),
  };
});
publish({
  name: "uncached",
  table: {
    columns: ["upstream answers after", "requests", "whole request, p50", "added by the service, p50", "p99"],
    labels: 1,
    rows: rows.map((row) => [
      `${row.delay} ms`,
      count(row.requests),
      ...[row.totalMs, row.addedMs, row.addedP99Ms].map((ms) => time(ms * 1000)),
    ]),
  },
  notes: { "an uncached request asks": "Buildkite for the pipeline's repository, then GitHub for the token" },
  figures: {
    ...Object.fromEntries(rows.map(({ delay, addedMs }) => [`${delay} ms; addedUs`, addedMs * 1000])),
    cpuUs: ((cpuSeconds(bridge.pid) - cpuBefore) / rows.reduce((sum, row) => sum + row.requests, 0)) * 1e6,
  },
});

async function askFor(seconds: number, contender: Contender, list: AskedRequest[]): Promise<Timed[]> {
  const timed: Timed[] = [];
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    const request = list.pop();
    if (request === undefined) break;
    upstreamMs = 0;
    contender.lines.length = 0;
    await ask(contender, request);
    while (contender.lines.length === 0) await Bun.sleep(0);
    const totalMs = Number(/"durationMs":([\d.]+)/.exec(contender.lines.join())?.[1]);
    timed.push({ totalMs, upstreamMs });
  }
  return timed;
}
