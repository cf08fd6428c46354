/**
 * What the runtime's idea of the machine's memory costs in CPU and saves in memory: 10,000 entries in memory, as many remembered JWTs as there
 * may be, every kind of load. Each turn is a new process. Needs wrk and dist/chinmina-bridge.
 *
 *   bun bench/memory.ts [SECONDS] [ROUNDS]
 *
 * SETTINGS="BUN_JSC_forceRAMSize=134217728; BUN_JSC_forceRAMSize=100663296,BUN_JSC_criticalGCMemoryThreshold=0.95": other settings than the usual.
 */
import { startBinary, type Environment } from "./load/contender.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores, median, memoryMiB } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { mebibytes, publish, show } from "./load/report.ts";
import { askAll } from "./load/requests.ts";
import { cachedScenarios } from "./load/scenarios.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { drive, requireWrk } from "./load/wrk.ts";

const ENTRIES = 10_000;
const MIB = 1024 * 1024;
const IDLE_AFTER_MS = 2000;
const size = (mib: number): Environment => ({ BUN_JSC_forceRAMSize: String(mib * MIB) });
const grown = (factor: string): Environment => ({ ...size(96), BUN_JSC_largeHeapGrowthFactor: factor });
const LEAST: Environment = { ...size(32), BUN_JSC_largeHeapGrowthFactor: "1.1" };
const settings: readonly Environment[] = [
  {},
  ...(readSettings(process.env["SETTINGS"]) ?? [
    size(96),
    ...["1.4", "1.55", "1.7", "2"].map(grown),
    size(192),
    size(384),
    // The least there is: hardly any garbage, then no compiled code either.
    LEAST,
    { ...LEAST, BUN_JSC_useJIT: "0" },
  ]),
];

interface Measured {
  readonly cpuUs: Readonly<Record<string, number>>;
  readonly idleMiB: number;
  readonly filledMiB: number;
  readonly afterMiB: number;
  readonly peakMiB: number;
}

requireWrk();
leaveServerCores();
using folder = workFolder();
await using surroundings = await createSurroundings(ENTRIES);
const filling = surroundings.ofEachPipeline("/token");
const scenarios = cachedScenarios(folder.path, surroundings);
const shown = ["token, 2,000 JWTs", "token, every JWT new", "git credentials, 2,000 JWTs"];
const runs = settings.map((): Measured[] => []);
for (let round = 0; round < LENGTH.rounds; round++) {
  for (const [index, setting] of settings.entries()) {
    say(`${describe(setting)}: ${round + 1} of ${LENGTH.rounds}`);
    runs[index]?.push(await measure(setting));
  }
}
const rows = settings.map((setting, index) => ({ setting, of: middle(runs[index] ?? []) }));
publish({
  name: "memory",
  table: {
    columns: ["settings", ...shown.map((name) => `CPU: ${name}`), "idle", "filled", "after all loads", "peak"],
    labels: 1,
    rows: rows.map(({ setting, of }) => {
      const cpu = shown.map((name) => microseconds(of((run) => run.cpuUs[name] ?? Number.NaN)));
      const memory = [of((run) => run.idleMiB), of((run) => run.filledMiB), of((run) => run.afterMiB)];
      return [describe(setting)].concat(cpu, memory.map(mebibytes), mebibytes(of((run) => run.peakMiB)));
    }),
  },
  notes: { "entries in memory": String(ENTRIES) },
});

async function measure(setting: Environment): Promise<Measured> {
  await using bridge = await startBinary(describe(setting), { ...surroundings.environment, ...setting });
  await askAll(bridge, filling);
  const filledMiB = memoryMiB(bridge.pid, "VmRSS");
  const cpuUs: Record<string, number> = {};
  for (const { name, connections, workload } of scenarios) {
    const figures = await drive(bridge, workload, { connections, seconds: LENGTH.seconds });
    if (figures.failed > 0) throw new Error(`${name}: ${figures.failed} failed`);
    cpuUs[name] = figures.cpuUs;
  }
  await Bun.sleep(IDLE_AFTER_MS);
  const [afterMiB, peakMiB] = [memoryMiB(bridge.pid, "VmRSS"), memoryMiB(bridge.pid, "VmHWM")];
  return { cpuUs, idleMiB: bridge.idleMiB, filledMiB, afterMiB, peakMiB };
}

function middle(measured: readonly Measured[]) {
  return (field: (run: Measured) => number): number => median(measured.map(field));
}

function microseconds(value: number): string {
  return show(value, (us) => `${us.toFixed(1)} us`);
}

function describe(setting: Environment): string {
  const parts = Object.entries(setting).map(([name, value]) => {
    const mib = Number(value) / MIB;
    return `${name.replace("BUN_JSC_", "")} ${mib >= 1 ? `${mib} MiB` : value}`;
  });
  return parts.length === 0 ? "none" : parts.join(", ");
}

function readSettings(text: string | undefined): Environment[] | undefined {
  return text
    ?.split(";")
    .map((setting) => Object.fromEntries(setting.split(",").map((pair): [string, string] => split(pair.trim()))));
}

function split(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
