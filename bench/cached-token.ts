/**
 * What a token that is held in memory costs, beside a bare Bun.serve with the same bytes and lines and, given PEER=COMMAND, beside another
 * server of the same contract: interleaved, in one run, on one machine. Compare ratios, not figures.
 *
 *   make bench, or: bun bench/cached-token.ts [SECONDS] [ROUNDS]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBinary, startFloor, startPeer, type Contender } from "./load/contender.ts";
import { median, memoryMiB } from "./load/machine.ts";
import { renderTable, summarize, writeResults, type Row } from "./load/report.ts";
import { cachedScenarios } from "./load/scenarios.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { drive, requireWrk, writeWorkload, type Figures } from "./load/wrk.ts";

const SECONDS = Number(process.argv[2] ?? 4);
const ROUNDS = Number(process.argv[3] ?? 3);
const ENTRIES = 10_000;
/** What the image sets (docs/container.md). */
const IMAGE_SETTINGS = { BUN_JSC_forceRAMSize: "100663296" };

requireWrk();
const folder = await mkdtemp(join(tmpdir(), "bench-"));
await using surroundings = await createSurroundings(ENTRIES);
await using started = new AsyncDisposableStack();
const environment = { ...surroundings.environment, ...IMAGE_SETTINGS };
const bridge = started.use(await startBinary("bridge", environment));
const contenders: Contender[] = [bridge];
if (process.env["PEER"] !== undefined) {
  contenders.push(started.use(await startPeer(process.env["PEER"], surroundings.environment)));
}

const [first] = surroundings.repeat(1, "/token");
const reply = await (
  await fetch(`http://127.0.0.1:${bridge.port}/token`, {
    method: "POST",
    headers: { authorization: `Bearer ${first?.jwt}` },
  })
).text();
contenders.push(started.use(await startFloor(reply, `${"x".repeat(auditLineLength())}\n`)));

say(`filling memory with ${ENTRIES} entries`);
const filling = writeWorkload(folder, "fill", surroundings.ofEachPipeline("/token"));
await drive(bridge, filling, { connections: 32, seconds: 15 });

const scenarios = cachedScenarios(folder, surroundings);
const rows: Row[] = [];
for (const { name, connections, workload } of scenarios) {
  const runs = new Map<Contender, Figures[]>(contenders.map((one) => [one, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of contenders) {
      say(`${name}: ${contender.name}, ${round + 1} of ${ROUNDS}`);
      runs.get(contender)?.push(await drive(contender, workload, { connections, seconds: SECONDS }));
    }
  }
  for (const [{ name: contender }, figures] of runs) rows.push({ scenario: name, contender, runs: figures });
}

const summaries = summarize(rows);
const durations = bridge.samples.flatMap((line) => /"durationMs":([\d.]+)/.exec(line)?.[1] ?? []).map(Number);
const other = {
  "time inside the service, median": `${(median(durations) * 1000).toFixed(0)} us`,
  ...Object.fromEntries(
    contenders.map(({ name, pid, idleMiB }) => [
      `memory of ${name}`,
      `idle ${idleMiB.toFixed(0)} MiB, after ${memoryMiB(pid, "VmRSS").toFixed(0)}, peak ${memoryMiB(pid, "VmHWM").toFixed(0)}`,
    ]),
  ),
};
console.log(renderTable(summaries));
for (const [key, value] of Object.entries(other)) console.log(`${key}: ${value}`);
writeResults("cached-token", summaries, other);
await rm(folder, { recursive: true });

function auditLineLength(): number {
  return bridge.samples.find((line) => line.includes("audit_event"))?.length ?? 1200;
}

function say(progress: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${progress}\n`);
}
