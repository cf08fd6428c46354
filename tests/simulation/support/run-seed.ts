import * as fc from "fast-check";
import { commands, createPlan } from "./commands.ts";
import { Simulation } from "./simulation.ts";

/** Runs what one seed stands for. Returns what went wrong, with the shortest run found that goes wrong in the same way; undefined: nothing. */
export async function runSeed(seed: number, counts: Map<string, number> = new Map()): Promise<string | undefined> {
  const property = fc.asyncProperty(fc.scheduler(), commands, async (scheduler, chosen) => {
    const simulation = new Simulation(scheduler, counts);
    await simulation.start();
    await fc.asyncModelRun(() => ({ model: createPlan(), real: simulation }), chosen);
    const wrong = await simulation.settle();
    await simulation.end();
    if (wrong !== undefined) throw new Error(wrong);
  });
  const details = await fc.check(property, { seed, numRuns: 1 });
  if (!details.failed) return undefined;
  return `${String(details.errorInstance)}\n${fc.defaultReportMessage(details)}`;
}
