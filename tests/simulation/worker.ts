/**
 * Runs every STRIDE-th seed of a range and writes lines of JSON: how far it is, and the first seed that fails, with which it ends.
 *
 *   bun tests/simulation/worker.ts FROM TO STRIDE
 */
import type { WorkerLine } from "./support/run-seeds.ts";
import { runSeed } from "./support/run-seed.ts";

const TELL_EVERY = 500;

const [from = 0, to = 0, stride = 1] = process.argv.slice(2).map(Number);
const counts = new Map<string, number>();
let done = 0;

// Nobody is there to read any more when the one who started it is gone.
const startedBy = process.ppid;

for (let seed = from; seed < to && process.ppid === startedBy; seed += stride) {
  const wrong = await runSeed(seed, counts);
  done += 1;
  if (wrong !== undefined) {
    tell({ done, failure: { seed, wrong } });
    process.exitCode = 1;
    break;
  }
  if (done % TELL_EVERY === 0) tell({ done });
}
if (process.exitCode === undefined) tell({ done, counts: Object.fromEntries(counts) });

function tell(line: WorkerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
