/**
 * How long dist/chinmina-bridge takes from exec to its first 200, how much memory it has idle, and how large it is. Also with none of the
 * binary in the page cache, as after a task lands on a fresh host: then the disk decides.
 *
 *   bun bench/startup.ts [RUNS]
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { startSimulator } from "../src/simulator/simulator.ts";

const BINARY = join(import.meta.dir, "../dist/chinmina-bridge");
const RUNS = Number(process.argv[2] ?? 10);
const IDLE_MS = 1000;

await using simulator = await startSimulator();
const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
const samples = [];
const cold = [];
for (let run = 0; run < RUNS; run++) samples.push(await measure(20_000 + Math.floor(Math.random() * 20_000)));
for (let run = 0; run < RUNS; run++) {
  evict();
  cold.push(await measure(20_000 + Math.floor(Math.random() * 20_000)));
}
console.log(`binary             ${(statSync(BINARY).size / 1e6).toFixed(1)} MB`);
console.log(`exec to first 200  ${median(samples.map(({ startMs }) => startMs)).toFixed(1)} ms (median of ${RUNS})`);
console.log(`... cold cache     ${median(cold.map(({ startMs }) => startMs)).toFixed(1)} ms (median of ${RUNS})`);
console.log(`RSS idle           ${median(samples.map(({ rssMiB }) => rssMiB)).toFixed(1)} MiB`);

async function measure(port: number): Promise<{ startMs: number; rssMiB: number }> {
  const startedMs = performance.now();
  const child = Bun.spawn([BINARY, "serve"], {
    env: { ...environment, SERVER_PORT: String(port), SERVER_HOST: "127.0.0.1" },
    stdout: "pipe",
    stderr: "inherit",
  });
  void new Response(child.stdout).text();
  while (!(await answers(port))) await Bun.sleep(0.5);
  const startMs = performance.now() - startedMs;
  await Bun.sleep(IDLE_MS);
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
  child.kill("SIGKILL");
  await child.exited;
  return { startMs, rssMiB: Number(rss) / 1024 };
}

/** Drops the binary from the page cache: advice on the file alone, which needs no rights and leaves the machine's other files there. */
function evict(): void {
  const dropped = Bun.spawnSync(["dd", `if=${BINARY}`, "iflag=nocache", "count=0"], { stderr: "ignore" });
  const left = Bun.spawnSync(["fincore", "--bytes", "--noheadings", "--output=RES", BINARY]).stdout.toString().trim();
  if (!dropped.success || left !== "0") throw new Error(`the binary is still in the page cache: ${left} bytes of it`);
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthcheck`)).status === 200;
  } catch {
    return false;
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
