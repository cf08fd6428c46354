/**
 * What a request costs that has no token yet: on the wall, less the time that Buildkite and GitHub took to answer for it, and in CPU. Beside
 * PEER=COMMAND, as in cached-token.ts. Needs wrk and dist/chinmina-bridge.
 *
 *   bun bench/uncached.ts [SECONDS] [ROUNDS]
 *
 * One request at a time, each of another pipeline: what is measured is the service, not how the simulator and it share the cores.
 */
import type { Contender } from "./load/contender.ts";
import { startServers } from "./load/contenders.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores, median, quantile } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { count, publish, show, time } from "./load/report.ts";
import { askAll } from "./load/requests.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { createUpstreamTimes } from "./load/upstream-times.ts";
import { drive, requireWrk, writeWorkload, type Figures } from "./load/wrk.ts";

const DELAYS_MS = [0, 100];
/** More than one server can be asked for in all rounds. */
const PIPELINES = 30_000;
/** CPU is counted in steps of 10 ms. */
const LEAST_FOR_CPU = 200;

interface Run extends Figures {
  readonly requests: number;
  /** Of each request, by its audit line; none when its server does not tell. */
  readonly addedMs: readonly number[];
}

requireWrk();
leaveServerCores();
using folder = workFolder();
await using surroundings = await createSurroundings(PIPELINES);
const upstream = createUpstreamTimes(surroundings.simulator);
await using started = new AsyncDisposableStack();
const { servers } = await startServers(surroundings.environment, started, { keepAll: true });
const each = surroundings.ofEachPipeline("/token");
const warmUp = each.splice(0, 20);
for (const server of servers) await askAll(server, warmUp, 1);
const workload = writeWorkload(folder.path, "uncached", each);

const rows = DELAYS_MS.flatMap((delayMs) => servers.map((server) => ({ delayMs, server, runs: new Array<Run>() })));
for (let round = 0; round < LENGTH.rounds; round++) {
  for (const { delayMs, server, runs } of rows) {
    say(`upstream ${delayMs} ms: ${server.name}, ${round + 1} of ${LENGTH.rounds}`);
    upstream.answerAfter(delayMs);
    runs.push(await askFor(LENGTH.seconds, server));
  }
}
const summaries = rows.map(({ delayMs, server, runs }) => {
  const addedMs = runs.flatMap((run) => run.addedMs);
  return {
    name: `${delayMs} ms`,
    server: server.name,
    requests: runs.reduce((sum, run) => sum + run.requests, 0),
    cpuUs: median(runs.map(({ cpuUs }) => cpuUs)),
    p50Us: median(runs.map(({ p50Us }) => p50Us)),
    addedUs: median(addedMs) * 1000,
    addedP99Us: quantile(addedMs, 0.99) * 1000,
    failed: runs.reduce((sum, { failed }) => sum + failed, 0),
  };
});
publish({
  name: "uncached",
  table: {
    columns: [
      "upstream answers after",
      "server",
      "requests",
      "CPU a request",
      "p50",
      "added by the service, p50",
      "p99",
    ],
    labels: 2,
    rows: summaries.map((row) => [
      row.name,
      row.server,
      count(row.requests),
      show(row.cpuUs, (us) => `${us.toFixed(0)} us`),
      ...[row.p50Us, row.addedUs, row.addedP99Us].map(time),
    ]),
  },
  notes: { "an uncached request asks": "Buildkite for the pipeline's repository, then GitHub for the token" },
  figures: Object.fromEntries(
    summaries.flatMap(({ name, server, addedUs, cpuUs }) => [
      [`${name}; ${server}; addedUs`, addedUs],
      [`${name}; ${server}; cpuUs`, cpuUs],
    ]),
  ),
});
if (summaries.some(({ failed }) => failed > 0)) throw new Error("not every request was answered with 200");

async function askFor(seconds: number, server: Contender): Promise<Run> {
  const linesBefore = server.lines.length;
  const sentBefore = workload.sentTo.get(server.name) ?? 0;
  const figures = await drive(server, workload, { connections: 1, seconds });
  const sent = workload.sentTo.get(server.name) ?? 0;
  if (sent > each.length) throw new Error("there are no pipelines left without a token: fewer seconds, or rounds");
  // The one that was under way at the end has its token by now.
  workload.sentTo.set(server.name, sent + 1);
  const requests = sent - sentBefore;
  const cpuUs = requests < LEAST_FOR_CPU ? Number.NaN : figures.cpuUs;
  return { ...figures, cpuUs, requests, addedMs: upstream.addedTo(server.lines.slice(linesBefore)) };
}
