/**
 * Runs the simulation of two instances (tests/simulation) with as many seeds as there is time for.
 *
 *   bun scripts/simulate.ts [--from N] [--seeds N] [--workers N]
 *   bun scripts/simulate.ts --seed N     one seed again: prints what went wrong, with the shortest run that does
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runSeed } from "../tests/simulation/support/run-seed.ts";
import { runSeeds, type SeedResults } from "../tests/simulation/support/run-seeds.ts";

const TELL_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    from: { type: "string", default: "0" },
    seeds: { type: "string", default: "1000000" },
    workers: { type: "string", default: String(availableParallelism()) },
  },
});
process.exitCode = values.seed === undefined ? await runRange() : await runOne(numberOf(values.seed));

async function runOne(seed: number): Promise<number> {
  const wrong = await runSeed(seed);
  console.log(wrong === undefined ? `seed ${seed} holds` : `seed ${seed} fails: ${wrong}`);
  return wrong === undefined ? 0 : 1;
}

async function runRange(): Promise<number> {
  const from = numberOf(values.from);
  const to = from + numberOf(values.seeds);
  const startedMs = performance.now();
  let toldMs = startedMs;
  const onProgress = (done: number): void => {
    if (performance.now() - toldMs < TELL_EVERY_MS) return;
    toldMs = performance.now();
    const perSecond = (done / (toldMs - startedMs)) * 1000;
    console.log(`${done} of ${to - from} seeds, ${Math.round(perSecond)} a second`);
  };
  return report(await runSeeds({ from, to, workers: numberOf(values.workers), onProgress }), startedMs);
}

function report({ done, failure, counts }: SeedResults, startedMs: number): number {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  if (failure !== undefined) {
    console.log(`${failure.wrong}\n\nseed ${failure.seed} fails, again by: make simulate SEED=${failure.seed}`);
    return 1;
  }
  for (const [name, count] of [...counts].sort(([one], [other]) => (one < other ? -1 : 1)))
    console.log(`${String(count).padStart(12)}  ${name}`);
  console.log(`${done} seeds held, ${seconds} s`);
  return 0;
}

function numberOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${text} is not a number`);
  return Number(text);
}
