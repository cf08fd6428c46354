/**
 * Whether a cached token costs more when there is more of everything else: 10,000 profiles, 10,000 entries in memory, 5,000 idle
 * connections, each in turns with a service that has none of them. The connections are opened anew for each run of load, as the service
 * closes idle ones, and memory is read while they are open. Needs wrk and dist/chinmina-bridge.
 *
 *   bun bench/growth.ts [SECONDS] [ROUNDS]
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { summarize } from "./load/compare.ts";
import { startBinary, type Contender, type Environment } from "./load/contender.ts";
import { workFolder } from "./load/folder.ts";
import { openIdleConnections } from "./load/idle-connections.ts";
import { leaveServerCores, median, memoryMiB } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { count, mebibytes, publish, show, time } from "./load/report.ts";
import { ask, askAll } from "./load/requests.ts";
import { manyTokens } from "./load/scenarios.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { drive, requireWrk, type Figures } from "./load/wrk.ts";

const PROFILES = 10_000;
const ENTRIES = 10_000;
const CONNECTIONS = 5000;
/** For what opening and closing them leaves to do, which is not to be measured. */
const SETTLE_MS = 500;

interface Run extends Figures {
  readonly load: string;
  readonly contender: string;
  /** When the load was over, with all that was there beside it. */
  readonly rssMiB: number;
}

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

const contenders = [alone, withProfiles, withEntries, withConnections];
const workload = manyTokens(folder.path, surroundings);
const loads = { single: "1 connection", many: "32 connections" } as const;
const runs: Run[] = [];
for (const load of Object.values(loads)) {
  for (let round = 0; round < LENGTH.rounds; round++) {
    for (const contender of contenders) {
      say(`${load}: ${contender.name}, ${round + 1} of ${LENGTH.rounds}`);
      runs.push(await run(contender, load));
    }
  }
}
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
    rssMiB: many.rssMiB,
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
      mebibytes(row.rssMiB),
    ]),
  },
  figures: Object.fromEntries(
    rows.flatMap(({ name, singleChange, manyChange }) => [
      [`${name}; p50 change`, singleChange],
      [`${name}; p50 change of 32`, manyChange],
    ]),
  ),
});
const failures = runs.filter(({ failed }) => failed > 0);
if (failures.length > 0) {
  throw new Error(failures.map(({ load, contender, failed }) => `${load}; ${contender}: ${failed} failed`).join("\n"));
}

async function run(contender: Contender, load: string): Promise<Run> {
  using idle = contender === withConnections ? await openIdleConnections(contender.port, CONNECTIONS) : undefined;
  await Bun.sleep(SETTLE_MS);
  const figures = await drive(contender, workload, { connections: Number.parseInt(load), seconds: LENGTH.seconds });
  const rssMiB = memoryMiB(contender.pid, "VmRSS");
  idle?.assertOpen();
  return { ...figures, load, contender: contender.name, rssMiB };
}

function find({ name }: Contender, wanted: string): Pick<Run, "p50Us" | "cpuUs" | "rssMiB"> {
  const of = runs.filter(({ contender, load }) => contender === name && load === wanted);
  return { ...summarize(wanted, name, of), rssMiB: median(of.map(({ rssMiB }) => rssMiB)) };
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
