/**
 * What the steps of one cached request cost, each alone and all together, in one process and without sockets: 2,000 JWTs taking turns, a
 * profile with two match rules. Processor time, of which garbage collection is a part, the least of the rounds; the steps' own code, from src.
 *
 *   bun bench/budget.ts [SECONDS] [ROUNDS]
 */
import { startSimulator } from "../src/simulator/simulator.ts";
import { budgetSteps, type Step } from "./load/budget-steps.ts";
import { LENGTH, say } from "./load/options.ts";
import { publish, show } from "./load/report.ts";

const WARM_UP_RUNS = 30_000;
/** As a server under load has them. */
const AT_ONCE = 16;
const RUNS = LENGTH.seconds * 20_000;

await using simulator = await startSimulator();
const steps = await budgetSteps(simulator);
for (const { name, run } of steps) {
  say(`${name}: warming up`);
  await measure(run, WARM_UP_RUNS);
}
const least = new Map<Step, number>();
for (let round = 0; round < LENGTH.rounds; round++) {
  for (const step of steps) {
    const us = await measure(step.run, step.isSlow === true ? RUNS / 10 : RUNS);
    least.set(step, Math.min(us, least.get(step) ?? Number.POSITIVE_INFINITY));
  }
}
const bare = costOf(steps.find(({ part }) => part === "bare"));
const costs = steps.map((step) => Object.assign(step, { us: costOf(step) - (step.isWithRequest === true ? bare : 0) }));
const whole = costs.find(({ part }) => part === "whole")?.us ?? Number.NaN;
const named = costs.filter(({ part }) => part === "step");
const sum = named.reduce((total, { us }) => total + us, 0);

const microseconds = (us: number): string => show(us, (value) => `${value.toFixed(1)} us`);
publish({
  name: "budget",
  table: {
    columns: ["step", "what it is", "CPU"],
    labels: 2,
    rows: [
      ...named.map(({ name, what, us }) => [name, what, microseconds(us)]),
      ["between", "an object for each of these, and the way from one to the next", microseconds(whole - sum)],
      ["**all of the service's code**", "", microseconds(whole)],
      ...costs.filter(({ part }) => part === "beside").map(({ name, what, us }) => [name, what, microseconds(us)]),
    ],
  },
  figures: Object.fromEntries(costs.map(({ name, us }) => [name, us])),
});

function costOf(step: Step | undefined): number {
  return (step && least.get(step)) ?? Number.NaN;
}

async function measure(run: Step["run"], runs: number): Promise<number> {
  const before = process.cpuUsage();
  for (let index = 0; index < runs; index += AT_ONCE) {
    const batch: unknown[] = [];
    for (let at = 0; at < AT_ONCE; at++) batch.push(run(index + at));
    await Promise.all(batch);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / runs;
}
