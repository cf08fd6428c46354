/**
 * What a token costs that is not in memory but in Valkey, over TLS and sealed: a second instance serves what the first one stored. Beside the
 * floor and PEER=COMMAND, as in cached-token.ts. Needs wrk and dist/chinmina-bridge; Valkey is installed from Debian's packages.
 *
 *   bun bench/shared-hits.ts [SECONDS] [ROUNDS]
 *
 * More repositories than memory keeps of a caller-scoped profile are asked for in turn, so that each request is a hit in Valkey. `bridge` is
 * the second instance.
 */
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { compare, failedLoads, figuresOf, tableOf } from "./load/compare.ts";
import { startBinary } from "./load/contender.ts";
import { startFloorLike, startServers } from "./load/contenders.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores } from "./load/machine.ts";
import { LENGTH } from "./load/options.ts";
import { percent, publish } from "./load/report.ts";
import { askAll } from "./load/requests.ts";
import { startSharedCache, untilInUse } from "./load/shared-cache.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { requireWrk, writeWorkload } from "./load/wrk.ts";

const REPOSITORIES = 5000;
/** The first few of all, which the floor's replies were taken from, are in memory. */
const LEAST_HITS = 0.99;
/** So many that none comes to the end of what one pipeline may make GitHub do in a minute. */
const PIPELINES = 200;

requireWrk();
leaveServerCores();
using folder = workFolder();
await using surroundings = await createSurroundings(PIPELINES);
const { repositories } = surroundings.simulator.world.github;
const [model] = repositories;
if (model === undefined) throw new TypeError("the simulated world is empty");
for (let index = 0; index < REPOSITORIES; index++)
  repositories.push({ ...model, id: 1_000_000 + index, name: `r${index}` });
const jobs = surroundings.ofEachPipeline("/organization/token/any-one-repository");
const requests = Array.from({ length: REPOSITORIES }, (_none, index) => {
  const { path, jwt } = jobs[index % jobs.length] ?? { path: "", jwt: "" };
  return { path: `${path}?repository-scope=r${index}`, jwt };
});

await using cache = await startSharedCache();
const environment = { ...surroundings.environment, ...cache.environment };
await using first = await startBinary("first", { ...environment, ...IMAGE_SETTINGS }, { keepAll: true });
await untilInUse(first);
await askAll(first, requests);
await using started = new AsyncDisposableStack();
const { bridge: second, servers: contenders } = await startServers(environment, started, { keepAll: true });
await untilInUse(second);
const [request] = requests;
if (request === undefined) throw new TypeError("there is no request to send");
contenders.push(started.use(await startFloorLike(second, request)));
const minted = (): number => surroundings.simulator.journal.entries({ method: "POST", path: /access_tokens$/ }).length;
const mintedBefore = minted();

const workload = writeWorkload(folder.path, "shared", requests);
const summaries = await compare(
  contenders,
  [1, 32].map((connections) => ({
    name: `hit in Valkey, ${connections === 1 ? "1 connection" : `${connections} connections`}`,
    connections,
    workload,
  })),
  LENGTH,
);
const asked = second.lines.filter((line) => line.includes('"source":"'));
const hits = asked.filter((line) => line.includes('"source":"valkey"')).length;
publish({
  name: "shared-hits",
  table: tableOf(summaries),
  notes: {
    "answered from Valkey": percent(hits / asked.length),
    "tokens that GitHub was asked for meanwhile": String(minted() - mintedBefore),
  },
  figures: { ...figuresOf(summaries), hitShare: hits / asked.length },
});
const failures = [
  ...failedLoads(summaries),
  ...(hits < asked.length * LEAST_HITS ? [`only ${hits} of ${asked.length} were hits in Valkey`] : []),
  ...(minted() > mintedBefore ? ["GitHub was asked for tokens that were in Valkey"] : []),
];
if (failures.length > 0) throw new Error(failures.join("\n"));
