/**
 * What a token that is held in memory costs, beside a bare Bun.serve with the same bytes and lines and, given PEER=COMMAND, beside another
 * server of the same contract: in turns, in one run, on one machine. Compare ratios, not figures. Needs wrk and dist/chinmina-bridge.
 *
 *   bun bench/cached-token.ts [SECONDS] [ROUNDS]
 */
import { barChart } from "./load/chart.ts";
import { compare, failedLoads, figuresOf, tableOf } from "./load/compare.ts";
import { measureLine, startFloorLike, startServers } from "./load/contenders.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores, memoryMiB } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { mebibytes, publish } from "./load/report.ts";
import { askAll } from "./load/requests.ts";
import { cachedScenarios, GIT_REQUEST } from "./load/scenarios.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { requireWrk } from "./load/wrk.ts";

const ENTRIES = 10_000;

requireWrk();
leaveServerCores();
using folder = workFolder();
await using surroundings = await createSurroundings(ENTRIES);
await using started = new AsyncDisposableStack();
const { bridge, servers: contenders } = await startServers(surroundings.environment, started);

const requests = surroundings.ofEachPipeline("/token");
for (const contender of contenders) {
  say(`filling the memory of ${contender.name} with ${ENTRIES} entries`);
  await askAll(contender, requests);
}
const [first] = requests;
if (first === undefined) throw new TypeError("no pipeline was added");
const lineBytes = await measureLine(bridge, first);
const gitRequest = { ...first, path: "/git-credentials", body: GIT_REQUEST };
contenders.push(started.use(await startFloorLike(bridge, first, gitRequest)));

const scenarios = cachedScenarios(folder.path, surroundings);
const summaries = await compare(contenders, scenarios, LENGTH);
const memory = contenders.map(({ name, pid, idleMiB }) => ({
  name,
  idleMiB,
  afterMiB: memoryMiB(pid, "VmRSS"),
  peakMiB: memoryMiB(pid, "VmHWM"),
}));
publish({
  name: "cached-token",
  table: tableOf(summaries),
  notes: {
    inside: "from a request's arrival to its audit line; under load it waits there for those before it",
    ...Object.fromEntries(
      memory.map(({ name, idleMiB, afterMiB, peakMiB }) => [
        `memory of ${name}`,
        `idle ${mebibytes(idleMiB)}, after all loads ${mebibytes(afterMiB)}, peak ${mebibytes(peakMiB)}`,
      ]),
    ),
    "entries in memory": String(ENTRIES),
  },
  figures: {
    ...figuresOf(summaries),
    lineBytes,
    ...Object.fromEntries(
      memory.flatMap(({ name, idleMiB, afterMiB, peakMiB }) => [
        [`${name}; idleMiB`, idleMiB],
        [`${name}; afterMiB`, afterMiB],
        [`${name}; peakMiB`, peakMiB],
      ]),
    ),
  },
  charts: {
    throughput: barChart("Requests a second", "/s", bars("perSecond")),
    // Those of 512 connections are so long that nothing could be seen of the others.
    latency: barChart("Median latency", "us", bars("p50Us", /512 connections/)),
  },
});
const failures = failedLoads(summaries);
if (failures.length > 0) throw new Error(failures.join("\n"));

function bars(field: "perSecond" | "p50Us", leftOut = /^$/): { label: string; value: number }[] {
  return summaries
    .filter(({ scenario }) => !leftOut.test(scenario))
    .map((row) => ({ label: `${row.scenario}: ${row.contender}`, value: row[field] }));
}
