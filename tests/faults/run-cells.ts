/**
 * Runs cells of the fault matrix in a process of its own: the authority of the fronts' certificates must be trusted from its start
 * (`NODE_EXTRA_CA_CERTS`), and the AWS SDK reads the environment of its process. Takes a `Job` as JSON on standard input; writes a line of
 * JSON for each cell.
 */
import { generateSimulatorKeys } from "../../src/simulator/simulator.ts";
import type { Cell } from "./lists.ts";
import { runCell } from "./support/cell-run.ts";
import type { Certificates } from "./support/front.ts";
import type { Form } from "./support/subject.ts";

export interface Job {
  readonly cells: readonly Cell[];
  readonly form: Form;
  readonly atOnce: number;
  readonly certificates: Certificates;
  readonly caFile: string;
  readonly policyFile: string;
}

export interface CellResult {
  readonly cell: Cell;
  /** Empty: it held. */
  readonly problems: readonly string[];
  readonly tookMs: number;
}

const LAG_EVERY_MS = 10;

if (import.meta.main) await runJob(await Bun.stdin.json());

async function runJob({ cells, atOnce, ...options }: Job): Promise<void> {
  const keys = await generateSimulatorKeys();
  const lag = watchLag();
  const waiting = [...cells];
  const work = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const startedMs = performance.now();
      const problems = await runCell(cell, { ...options, keys, lag });
      const result: CellResult = { cell, problems, tookMs: performance.now() - startedMs };
      await Bun.write(Bun.stdout, `${JSON.stringify(result)}\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  process.exit(0);
}

/** How long this process has not got to its timers in all: what a measured time must be forgiven. */
function watchLag(): () => number {
  let lagMs = 0;
  let lastMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    lagMs += Math.max(0, nowMs - lastMs - LAG_EVERY_MS - 2);
    lastMs = nowMs;
  }, LAG_EVERY_MS).unref();
  return () => lagMs;
}
