import { readdirSync } from "node:fs";
import { memoryMiB } from "../load/machine.ts";
import type { Kind } from "./load.ts";

/** One look at the instances. */
export interface Sample {
  readonly minute: number;
  readonly rssMiB: readonly number[];
  readonly descriptors: readonly number[];
  readonly requests: number;
  /** Of the requests since the look before. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Percentiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
}

/** Counts what happens, and looks at the processes. */
export class Figures {
  readonly samples: Sample[] = [];
  /** Failed and was not to, by cause. */
  readonly failures = new Map<string, number>();
  /** Replies by kind of request and status. */
  readonly replies = new Map<string, number>();
  readonly #latencies = new Map<Kind, number[]>();
  readonly #startedMs = performance.now();
  #recent: number[] = [];
  requests = 0;

  note(kind: Kind, status: number, tookMs: number, failure: string | undefined): void {
    this.requests += 1;
    add(this.replies, `${kind} ${status}`);
    if (failure !== undefined) add(this.failures, `${kind}: ${failure}`);
    this.#latencies.getOrInsertComputed(kind, () => []).push(tookMs);
    this.#recent.push(tookMs);
  }

  look(pids: readonly number[]): Sample {
    const recent = this.#recent.sort((one, other) => one - other);
    this.#recent = [];
    const sample = {
      minute: (performance.now() - this.#startedMs) / 60_000,
      rssMiB: pids.map((pid) => memoryMiB(pid, "VmRSS")),
      descriptors: pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length),
      requests: this.requests,
      p50Ms: quantile(recent, 0.5),
      p99Ms: quantile(recent, 0.99),
    };
    this.samples.push(sample);
    return sample;
  }

  percentiles(): Record<string, Percentiles> {
    return Object.fromEntries([...this.#latencies].map(([kind, values]) => [kind, percentilesOf(values)]));
  }

  /** MiB a minute of each instance, by least squares over what comes after `fromMinute`; undefined: too little to tell. */
  slopes(fromMinute: number): number[] | undefined {
    const judged = this.samples.filter(({ minute }) => minute >= fromMinute);
    if (judged.length < LEAST_SAMPLES) return undefined;
    return (judged[0]?.rssMiB ?? []).map((_first, index) =>
      slope(judged.map(({ minute, rssMiB }) => [minute, rssMiB[index] ?? 0])),
    );
  }
}

const LEAST_SAMPLES = 30;

function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((one, other) => one - other);
  const of = (share: number): number => Number(quantile(sorted, share).toFixed(2));
  return { count: sorted.length, p50Ms: of(0.5), p90Ms: of(0.9), p99Ms: of(0.99), p999Ms: of(0.999), longestMs: of(1) };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return over / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
