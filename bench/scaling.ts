/**
 * What more instances on one Valkey (TLS, sealed entries) are worth: 1, 2 and 4 of them take the same jobs, spread evenly as a load balancer
 * does. Needs wrk and dist/chinmina-bridge; Valkey is installed from Debian's packages.
 *
 *   bun bench/scaling.ts [SECONDS] [ROUNDS]
 *
 * How many requests a second instances serve together is decided by the cores of this machine, which they share: CPU a request is what tells.
 */
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { startBinary, type Contender } from "./load/contender.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores, median, SERVER_CORES } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { count, publish, show, time } from "./load/report.ts";
import { askAll } from "./load/requests.ts";
import { startSharedCache } from "./load/shared-cache.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { drive, requireWrk, writeWorkload, type Figures } from "./load/wrk.ts";

const COUNTS = [1, 2, 4];
const PIPELINES = 2000;
const CONNECTIONS = 32;

interface Run extends Omit<Figures, "insideUs"> {
  readonly minted: number;
}

requireWrk();
leaveServerCores();
using folder = workFolder();
await using surroundings = await createSurroundings(PIPELINES);
const requests = surroundings.ofEachPipeline("/token");
const runs = COUNTS.map((): Run[] => []);
for (let round = 0; round < LENGTH.rounds; round++) {
  for (const [index, instances] of COUNTS.entries()) {
    say(`${instances} instances, ${round + 1} of ${LENGTH.rounds}`);
    runs[index]?.push(await run(instances));
  }
}
const rows = COUNTS.map((instances, index) => {
  const of = (field: keyof Run): number => median((runs[index] ?? []).map((one) => one[field]));
  return { instances, perSecond: of("perSecond"), cpuUs: of("cpuUs"), p50Us: of("p50Us"), minted: of("minted") };
});
publish({
  name: "scaling",
  table: {
    columns: ["instances", "tokens made for 2,000 pipelines", "requests/s together", "CPU a request", "p50"],
    labels: 1,
    rows: rows.map((row) => [
      String(row.instances),
      count(row.minted),
      count(row.perSecond),
      show(row.cpuUs, (us) => `${us.toFixed(1)} us`),
      time(row.p50Us),
    ]),
  },
  notes: { "cores that the instances share": SERVER_CORES === undefined ? "all, with the load" : SERVER_CORES },
  figures: Object.fromEntries(rows.map(({ instances, cpuUs }) => [`${instances}; cpuUs`, cpuUs])),
});

async function run(instances: number): Promise<Run> {
  await using started = new AsyncDisposableStack();
  const cache = started.use(await startSharedCache());
  const environment = { ...surroundings.environment, ...IMAGE_SETTINGS, ...cache.environment };
  const bridges: Contender[] = [];
  for (let index = 0; index < instances; index++) {
    const connected = cache.clients();
    const bridge = started.use(await startBinary(`instance ${index}`, environment));
    if (cache.clients() <= connected) throw new Error(`${bridge.name} does not use Valkey`);
    bridges.push(bridge);
  }
  const before = minted();
  for (const bridge of bridges) await askAll(bridge, requests);
  const made = minted() - before;
  const connections = CONNECTIONS / instances;
  const figures = await Promise.all(
    bridges.map((bridge) =>
      drive(bridge, writeWorkload(folder.path, bridge.name, requests), { connections, seconds: LENGTH.seconds }),
    ),
  );
  if (figures.some(({ failed }) => failed > 0)) throw new Error("not every request was answered with 200");
  if (cache.clients() < instances) throw new Error("not every instance still uses Valkey");
  const perSecond = figures.reduce((sum, one) => sum + one.perSecond, 0);
  const middle = (field: "cpuUs" | "p50Us" | "p99Us"): number => median(figures.map((one) => one[field]));
  return { perSecond, cpuUs: middle("cpuUs"), p50Us: middle("p50Us"), p99Us: middle("p99Us"), failed: 0, minted: made };
}

function minted(): number {
  return surroundings.simulator.journal.entries({ method: "POST", path: /access_tokens$/ }).length;
}
