/**
 * How long dist/chinmina-bridge takes from exec to its first 200, how much memory it has idle, and how large it is. Also with none of the
 * binary in the page cache, as after a task lands on a fresh host: then the disk decides. A floor starts in turn with it
 * and, given PEER=COMMAND, another server of the same contract.
 *
 *   bun bench/startup.ts [SECONDS] [ROUNDS]   each round is ten starts of each kind
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { killTree, untilAnswering } from "./load/contender.ts";
import { leaveServerCores, median, memoryMiB, onServerCores } from "./load/machine.ts";
import { LENGTH } from "./load/options.ts";
import { mebibytes, publish, ratio, show } from "./load/report.ts";
import { createSurroundings } from "./load/surroundings.ts";

const EVICTED = "bridge, nothing in the page cache";
const BINARY = join(import.meta.dir, "../dist/chinmina-bridge");
const STARTS = LENGTH.rounds * 10;
const IDLE_MS = 500;

leaveServerCores();
await using surroundings = await createSurroundings(0);
const { GITHUB_ORG_PROFILE: _, ...environment } = { ...surroundings.environment, ...IMAGE_SETTINGS };
const floor = [process.execPath, join(import.meta.dir, "load/floor.ts")];
const peer = process.env["PEER"];
const kinds = {
  bridge: () => {
    warm();
    return measure([BINARY, "serve"], environment);
  },
  ...(peer === undefined
    ? {}
    : { peer: () => measure(["sh", "-c", peer], { PATH: process.env["PATH"] ?? "", ...environment }) }),
  floor: () => measure(floor, { FLOOR_REPLY: "{}", FLOOR_LINE: "{}\n" }),
  [EVICTED]: () => {
    evict();
    return measure([BINARY, "serve"], environment);
  },
};
const samples = Object.entries(kinds).map(([name, start]) => ({ name, start, of: new Array<Sample>() }));
for (let turn = 0; turn < STARTS; turn++) for (const { start, of } of samples) of.push(await start());

const rows = samples.map(({ name, of }) => {
  const starts = of.map(({ startMs }) => startMs);
  const [least, most] = [Math.min(...starts), Math.max(...starts)];
  return { name, least, most, startMs: median(starts), idleMiB: median(of.map(({ rssMiB }) => rssMiB)) };
});
const floorMs = rows.find(({ name }) => name === "floor")?.startMs ?? Number.NaN;
const milliseconds = (ms: number): string => show(ms, (value) => `${value.toFixed(1)} ms`);
publish({
  name: "startup",
  table: {
    columns: ["server", "exec to first 200, median", "x floor", "least", "most", "RSS idle"],
    labels: 1,
    rows: rows.map(({ name, startMs, least, most, idleMiB }) => [
      name,
      milliseconds(startMs),
      // The floor's is in the page cache.
      ratio(name === EVICTED ? Number.NaN : startMs / floorMs),
      ...[least, most].map(milliseconds),
      mebibytes(idleMiB),
    ]),
  },
  notes: { starts: `${STARTS} of each`, binary: `${(statSync(BINARY).size / 1e6).toFixed(1)} MB` },
  figures: Object.fromEntries(rows.map(({ name, startMs }) => [`${name}; startUs`, startMs * 1000])),
});

interface Sample {
  readonly startMs: number;
  readonly rssMiB: number;
}

async function measure(command: readonly string[], variables: Readonly<Record<string, string>>): Promise<Sample> {
  const port = 20_000 + Math.floor(Math.random() * 12_000);
  const startedMs = performance.now();
  const child = Bun.spawn(onServerCores(command), {
    env: { ...variables, SERVER_PORT: String(port), SERVER_HOST: "127.0.0.1" },
    stdout: "pipe",
    stderr: "inherit",
  });
  void new Response(child.stdout).text();
  await untilAnswering(command.join(" "), child, port, 0.5);
  const startMs = performance.now() - startedMs;
  await Bun.sleep(IDLE_MS);
  const rssMiB = memoryMiB(child.pid, "VmRSS");
  await killTree(child);
  return { startMs, rssMiB };
}

/** Reads the binary whole: a start after one that had to read it finds only what that one touched. */
function warm(): void {
  if (!Bun.spawnSync(["cat", BINARY], { stdout: "ignore" }).success) throw new Error("the binary cannot be read");
}

/** Drops the binary from the page cache: advice on the file alone, which needs no rights and leaves the machine's other files there. */
function evict(): void {
  // What was not written yet cannot be dropped.
  Bun.spawnSync(["sync", BINARY]);
  const dropped = Bun.spawnSync(["dd", `if=${BINARY}`, "iflag=nocache", "count=0"], { stderr: "ignore" });
  const left = Bun.spawnSync(["fincore", "--bytes", "--noheadings", "--output=RES", BINARY]).stdout.toString().trim();
  if (!dropped.success || left !== "0") throw new Error(`the binary is still in the page cache: ${left} bytes of it`);
}
