/**
 * How long clients wait at constant rates for a token that is held in memory, counted from when each request was to be sent, beside the
 * floor and PEER=COMMAND as in cached-token.ts. Needs Go (for vegeta) and dist/chinmina-bridge.
 *
 *   bun bench/constant-rate.ts [SECONDS] [ROUNDS]
 */
import { lineChart } from "./load/chart.ts";
import type { Contender } from "./load/contender.ts";
import { startFloorLike, startServers } from "./load/contenders.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores, median, quantile } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { count, publish, ratio, time } from "./load/report.ts";
import { askAll } from "./load/requests.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { attack, installVegeta, writeTargets } from "./load/vegeta.ts";

const RATES = [100, 1000, 5000];
const SHARES = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

interface Run {
  readonly quantilesMs: readonly number[];
  readonly failed: number;
}

interface Row extends Run {
  readonly perSecond: number;
  readonly name: string;
}

installVegeta();
leaveServerCores();
using folder = workFolder();
await using surroundings = await createSurroundings(0);
await using started = new AsyncDisposableStack();
const { bridge, servers: contenders } = await startServers(surroundings.environment, started);
const requests = surroundings.repeat(2000, "/token");
const [first] = requests;
if (first === undefined) throw new TypeError("there is no request to send");
contenders.push(started.use(await startFloorLike(bridge, first)));

const rows: Row[] = [];
for (const perSecond of RATES) {
  const runs = contenders.map((): Run[] => []);
  for (let round = 0; round < LENGTH.rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      say(`${perSecond} a second: ${contender.name}, ${round + 1} of ${LENGTH.rounds}`);
      runs[index]?.push(await run(contender, perSecond));
    }
  }
  for (const [index, { name }] of contenders.entries()) {
    const of = runs[index] ?? [];
    const quantilesMs = SHARES.map((_share, at) => median(of.map((one) => one.quantilesMs[at] ?? Number.NaN)));
    rows.push({ perSecond, name, quantilesMs, failed: of.reduce((sum, { failed }) => sum + failed, 0) });
  }
}
const columns = SHARES.map((share) => `p${share * 100}`);
publish({
  name: "constant-rate",
  table: {
    columns: ["requests/s", "server", ...columns, "p50 x floor", "failed"],
    labels: 2,
    rows: rows.map(({ perSecond, name, quantilesMs, failed }) => [
      count(perSecond),
      name,
      ...quantilesMs.map((ms) => time(ms * 1000)),
      ratio((quantilesMs[0] ?? Number.NaN) / floorP50(perSecond)),
      count(failed),
    ]),
  },
  figures: Object.fromEntries(
    rows.flatMap(({ perSecond, name, quantilesMs }) =>
      quantilesMs.map((ms, at) => [`${perSecond}; ${name}; ${columns[at]}Us`, ms * 1000]),
    ),
  ),
  charts: {
    distribution: lineChart(
      "Latency from the intended start, by percentile",
      { y: "ms", ticks: columns.map((label, x) => ({ x, label })) },
      rows.map(({ perSecond, name, quantilesMs }) => ({
        name: `${name}, ${count(perSecond)}/s`,
        points: quantilesMs.map((ms, x) => [x, ms] as const),
      })),
    ),
  },
});
if (rows.some(({ failed }) => failed > 0)) throw new Error("not every request was answered with 200");

async function run(contender: Contender, perSecond: number): Promise<Run> {
  await askAll(contender, requests.slice(0, 1));
  const targets = writeTargets(folder.path, contender.name, contender, requests);
  const hits = await attack(targets, { perSecond, seconds: LENGTH.seconds });
  const latencies = hits.map(({ latencyMs }) => latencyMs);
  return {
    quantilesMs: SHARES.map((share) => quantile(latencies, share)),
    failed: hits.filter(({ status }) => status !== 200).length,
  };
}

function floorP50(perSecond: number): number {
  const floor = rows.find((row) => row.name === "floor" && row.perSecond === perSecond);
  return floor?.quantilesMs[0] ?? Number.NaN;
}
