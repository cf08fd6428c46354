/**
 * Whether a cached token costs more when there is more of everything else: 10,000 profiles, 10,000 entries in memory, 5,000 idle
 * connections, each in turns with a service that has none of them. Needs wrk and dist/chinmina-bridge.
 *
 *   bun bench/growth.ts [SECONDS] [ROUNDS]
 */
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { compare, failedLoads, type Summary } from "./load/compare.ts";
import { startBinary, type Contender, type Environment } from "./load/contender.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores, memoryMiB } from "./load/machine.ts";
import { LENGTH } from "./load/options.ts";
import { count, mebibytes, publish, show, time } from "./load/report.ts";
import { ask, askAll } from "./load/requests.ts";
import { manyTokens } from "./load/scenarios.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { requireWrk } from "./load/wrk.ts";

const PROFILES = 10_000;
const ENTRIES = 10_000;
const CONNECTIONS = 5000;

requireWrk();
leaveServerCores();
using folder = workFolder();
await using surroundings = await createSurroundings(ENTRIES);
await using started = new AsyncDisposableStack();
const policy = join(folder.path, "profiles.yaml");
writeFileSync(policy, largePolicy());
const { GITHUB_ORG_PROFILE: _, ...withoutPolicy } = surroundings.environment;
const start = async (name: string, environment: Environment): Promise<Contender> =>
  started.use(await startBinary(name, { ...environment, ...IMAGE_SETTINGS }));

const alone = await start("nothing more", surroundings.environment);
const withProfiles = await start(`${count(PROFILES)} profiles`, { ...withoutPolicy, PROFILE_FILE: policy });
const withEntries = await start(`${count(ENTRIES)} entries in memory`, surroundings.environment);
const withConnections = await start(`${count(CONNECTIONS)} idle connections`, surroundings.environment);
const [ofLastProfile] = surroundings.repeat(1, `/organization/token/team-${PROFILES - 1}`);
if (ofLastProfile !== undefined) await ask(withProfiles, ofLastProfile);
await askAll(withEntries, surroundings.ofEachPipeline("/token"));
const idle = await openConnections(withConnections.port, CONNECTIONS);

const contenders = [alone, withProfiles, withEntries, withConnections];
const workload = manyTokens(folder.path, surroundings);
const loads = { single: "1 connection", many: "32 connections" } as const;
const summaries = await compare(
  contenders,
  Object.values(loads).map((name) => ({ name, connections: Number.parseInt(name), workload })),
  LENGTH,
);
for (const socket of idle) socket.destroy();
const rows = contenders.map((contender) => {
  const [single, many] = [find(contender, loads.single), find(contender, loads.many)];
  const [baseSingle, baseMany] = [find(alone, loads.single), find(alone, loads.many)];
  return {
    name: contender.name,
    single,
    many,
    singleChange: single.p50Us / baseSingle.p50Us - 1,
    manyChange: many.p50Us / baseMany.p50Us - 1,
    cpuChange: many.cpuUs / baseMany.cpuUs - 1,
    memoryMiB: memoryMiB(contender.pid, "VmRSS"),
  };
});
publish({
  name: "growth",
  table: {
    columns: ["with", "p50, 1 connection", "change", "p50, 32 connections", "change", "CPU a request", "change", "RSS"],
    labels: 1,
    rows: rows.map((row) => [
      row.name,
      time(row.single.p50Us),
      change(row.singleChange),
      time(row.many.p50Us),
      change(row.manyChange),
      show(row.many.cpuUs, (us) => `${us.toFixed(1)} us`),
      change(row.cpuChange),
      mebibytes(row.memoryMiB),
    ]),
  },
  figures: Object.fromEntries(rows.map(({ name, singleChange }) => [`${name}; p50 change`, singleChange])),
});
const failures = failedLoads(summaries);
if (failures.length > 0) throw new Error(failures.join("\n"));

function find({ name }: Contender, load: string): Summary {
  const summary = summaries.find(({ contender, scenario }) => contender === name && scenario === load);
  if (summary === undefined) throw new TypeError(`${name} was not measured`);
  return summary;
}

function change(share: number): string {
  return show(share, (value) => `${value < 0 ? "" : "+"}${(value * 100).toFixed(0)} %`);
}

function largePolicy(): string {
  const profiles = Array.from(
    { length: PROFILES },
    (_none, index) => `    - { name: team-${index}, repositories: [plugins], permissions: ["contents:read"] }`,
  );
  return `organization:\n  profiles:\n${profiles.join("\n")}\n`;
}

async function openConnections(port: number, number: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < number; index++) {
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /healthcheck HTTP/1.1\r\nHost: bench\r\n\r\n");
    await new Promise((resolve, reject) => socket.once("data", resolve).once("error", reject));
    sockets.push(socket);
  }
  return sockets;
}
