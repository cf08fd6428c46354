import type { Contender } from "./contender.ts";
import { median } from "./machine.ts";
import { say, type RunLength } from "./options.ts";
import { count, ratio, show, time, type Table } from "./report.ts";
import type { Scenario } from "./scenarios.ts";
import { drive, type Figures } from "./wrk.ts";

/** The medians of one contender's runs in one scenario, and its failures in all of them. */
export interface Summary extends Figures {
  readonly scenario: string;
  readonly contender: string;
  /** CPU a request, and median latency, as multiples of the floor's in the same scenario. NaN without a floor. */
  readonly cpuRatio: number;
  readonly p50Ratio: number;
}

/** Lets the contenders take turns in each scenario: what disturbs the machine disturbs them all. */
export async function compare(
  contenders: readonly Contender[],
  scenarios: readonly Scenario[],
  { seconds, rounds }: RunLength,
): Promise<Summary[]> {
  const summaries: Summary[] = [];
  for (const { name, connections, workload } of scenarios) {
    const runs = contenders.map((): Figures[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [index, contender] of contenders.entries()) {
        say(`${name}: ${contender.name}, ${round + 1} of ${rounds}`);
        runs[index]?.push(await drive(contender, workload, { connections, seconds }));
      }
    }
    summaries.push(...withRatios(contenders.map((one, index) => summarize(name, one.name, runs[index] ?? []))));
  }
  return summaries;
}

type Plain = Omit<Summary, "cpuRatio" | "p50Ratio">;

export function summarize(scenario: string, contender: string, runs: readonly Figures[]): Plain {
  const of = (field: keyof Figures): number => median(runs.map((run) => run[field]));
  const failed = runs.reduce((sum, run) => sum + run.failed, 0);
  const [perSecond, cpuUs, p50Us, p99Us] = [of("perSecond"), of("cpuUs"), of("p50Us"), of("p99Us")];
  return { scenario, contender, perSecond, cpuUs, p50Us, p99Us, insideUs: of("insideUs"), failed };
}

function withRatios(plain: readonly Plain[]): Summary[] {
  const floor = plain.find(({ contender }) => contender === "floor");
  const over = (value: number, base: number | undefined): number => value / (base ?? Number.NaN);
  return plain.map((row) =>
    Object.assign(row, { cpuRatio: over(row.cpuUs, floor?.cpuUs), p50Ratio: over(row.p50Us, floor?.p50Us) }),
  );
}

/** Without a floor, without its columns. */
export function tableOf(summaries: readonly Summary[]): Table {
  const hasFloor = summaries.some(({ cpuRatio }) => Number.isFinite(cpuRatio));
  const floor = (...cells: readonly string[]): readonly string[] => (hasFloor ? cells : []);
  return {
    columns: [
      "load",
      "server",
      "requests/s",
      "CPU a request",
      ...floor("x floor"),
      "p50",
      ...floor("x floor"),
      "p99",
      "inside, p50",
    ],
    labels: 2,
    rows: summaries.map((row) => [
      row.scenario,
      row.contender,
      count(row.perSecond),
      show(row.cpuUs, (us) => `${us.toFixed(1)} us`),
      ...floor(ratio(row.cpuRatio)),
      time(row.p50Us),
      ...floor(ratio(row.p50Ratio)),
      time(row.p99Us),
      time(row.insideUs),
    ]),
  };
}

/** By `scenario, contender: what`. */
export function figuresOf(summaries: readonly Summary[]): Record<string, number> {
  const fields = ["perSecond", "cpuUs", "p50Us", "p99Us", "insideUs", "cpuRatio", "p50Ratio"] as const;
  return Object.fromEntries(
    summaries.flatMap((row) => fields.map((field) => [`${row.scenario}; ${row.contender}; ${field}`, row[field]])),
  );
}

/** The names of loads that the bridge did not answer in full: figures with failures in them are none. */
export function failedLoads(summaries: readonly Summary[]): string[] {
  return summaries.flatMap(({ scenario, contender, failed }) =>
    failed > 0 ? [`${scenario}; ${contender}: ${failed} failed`] : [],
  );
}
