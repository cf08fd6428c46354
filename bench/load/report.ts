import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { barChart } from "./chart.ts";
import { describeMachine, median } from "./machine.ts";
import type { Figures } from "./wrk.ts";

/** The runs of one contender in one scenario. */
export interface Row {
  readonly scenario: string;
  readonly contender: string;
  readonly runs: readonly Figures[];
}

export interface Summary extends Figures {
  readonly scenario: string;
  readonly contender: string;
  /** CPU a request, and median latency, as multiples of the floor's in the same scenario. */
  readonly cpuRatio: number;
  readonly p50Ratio: number;
}

const RESULTS = join(import.meta.dir, "../results");

export function summarize(rows: readonly Row[]): Summary[] {
  const plain = rows.map(({ scenario, contender, runs }) => {
    const of = (field: keyof Figures): number => median(runs.map((run) => run[field]));
    const failed = runs.reduce((sum, run) => sum + run.failed, 0);
    return {
      scenario,
      contender,
      perSecond: of("perSecond"),
      cpuUs: of("cpuUs"),
      p50Us: of("p50Us"),
      p99Us: of("p99Us"),
      failed,
    };
  });
  return plain.map((row) => {
    const floor = plain.find(({ scenario, contender }) => scenario === row.scenario && contender === "floor");
    return Object.assign(row, {
      cpuRatio: row.cpuUs / (floor?.cpuUs ?? Number.NaN),
      p50Ratio: row.p50Us / (floor?.p50Us ?? Number.NaN),
    });
  });
}

export function renderTable(summaries: readonly Summary[]): string {
  const head =
    "| load | server | requests/s | CPU a request | x floor | p50 | p99 | failed |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |";
  const rows = summaries.map(
    (row) =>
      `| ${row.scenario} | ${row.contender} | ${Math.round(row.perSecond).toLocaleString("en")} | ${row.cpuUs.toFixed(1)} us | ${row.cpuRatio.toFixed(2)} | ${time(row.p50Us)} | ${time(row.p99Us)} | ${row.failed} |`,
  );
  return [head, ...rows].join("\n");
}

/** Table, JSON and charts under `bench/results/`, with what they were made on. */
export function writeResults(
  name: string,
  summaries: readonly Summary[],
  other: Readonly<Record<string, unknown>>,
): void {
  mkdirSync(RESULTS, { recursive: true });
  const machine = describeMachine();
  const facts = Object.entries({ ...machine, ...other }).map(
    ([key, value]) => `- ${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  writeFileSync(join(RESULTS, `${name}.md`), `${renderTable(summaries)}\n\n${facts.join("\n")}\n`);
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify({ machine, ...other, summaries }, undefined, 2)}\n`);
  const bars = (field: "perSecond" | "p50Us"): { label: string; value: number }[] =>
    summaries.map((row) => ({ label: `${row.scenario} — ${row.contender}`, value: row[field] }));
  writeFileSync(join(RESULTS, `${name}-throughput.svg`), barChart("Requests a second", "/s", bars("perSecond")));
  writeFileSync(join(RESULTS, `${name}-latency.svg`), barChart("Median latency", "us", bars("p50Us")));
}

function time(us: number): string {
  return us < 1000 ? `${us.toFixed(0)} us` : `${(us / 1000).toFixed(2)} ms`;
}
