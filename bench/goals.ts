/**
 * What was aimed at beside what was measured (bench/results), met or not. Measures nothing.
 *
 *   bun bench/goals.ts
 */
import { join } from "node:path";
import { RESULTS } from "./load/options.ts";
import { mebibytes, percent, publish, ratio, time } from "./load/report.ts";

interface Goal {
  readonly name: string;
  readonly most: number;
  /** Where the figure is: a file of results, and a figure's name in it. */
  readonly from: readonly [file: string, figure: string];
  readonly show: (value: number) => string;
}

const times = (value: number): string => `${ratio(value)} times the floor's`;
const more = (value: number): string => `${value < 0 ? "" : "+"}${percent(value)}`;
const GOALS: readonly Goal[] = [
  cached("CPU a request, 2,000 JWTs taking turns", 2.2, "token, 2,000 JWTs; bridge; cpuRatio", times),
  cached("CPU a request, one JWT", 2.2, "token, one JWT; bridge; cpuRatio", times),
  cached("CPU a request, every JWT new", 4, "token, every JWT new; bridge; cpuRatio", times),
  cached("p50 of one connection", 1.5, "token, 2,000 JWTs, 1 connection; bridge; p50Ratio", times),
  cached("time inside the service, median", 50, "token, 2,000 JWTs; bridge; insideUs", time),
  goal("first 200 after the start", 30_000, ["startup", "bridge; startUs"], time),
  cached("RSS idle", 48, "bridge; idleMiB", mebibytes),
  cached("RSS after all loads", 100, "bridge; afterMiB", mebibytes),
  cached("RSS at most", 115, "bridge; peakMiB", mebibytes),
  goal("added to upstream calls that answer at once", 1000, ["uncached", "0 ms; bridge; addedUs"], time),
  goal("added to upstream calls of 100 ms", 1000, ["uncached", "100 ms; bridge; addedUs"], time),
  ...["10,000 profiles", "10,000 entries in memory", "5,000 idle connections"].flatMap(grown),
  goal("after an overload, as before", 5_000_000, ["overload", "settledUs"], time),
];

const rows = await Promise.all(
  GOALS.map(async ({ name, most, from, show }) => {
    const value = await read(from);
    return [name, show(most), show(value), value <= most ? "yes" : "no"];
  }),
);
publish({ name: "goals", table: { columns: ["", "goal, at most", "measured", "reached"], labels: 1, rows } });

function goal(name: string, most: number, from: Goal["from"], show: Goal["show"]): Goal {
  return { name, most, from, show };
}

function cached(name: string, most: number, figure: string, show: Goal["show"]): Goal {
  return goal(name, most, ["cached-token", figure], show);
}

function grown(what: string): Goal[] {
  return [
    goal(`p50 of 1 connection with ${what}`, 0.1, ["growth", `${what}; p50 change`], more),
    goal(`p50 of 32 connections with ${what}`, 0.1, ["growth", `${what}; p50 change of 32`], more),
  ];
}

async function read([file, figure]: Goal["from"]): Promise<number> {
  const content: { figures: Record<string, number | null> } = await Bun.file(join(RESULTS, `${file}.json`)).json();
  const value = content.figures[figure];
  if (typeof value !== "number") throw new Error(`bench/results/${file}.json has no figure "${figure}"`);
  return value;
}
