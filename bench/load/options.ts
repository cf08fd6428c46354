/**
 * What every script here takes: `[SECONDS] [ROUNDS]`, the time of one run of load and how often the contenders take turns.
 *
 * `BENCH_RESULTS`: where results are written instead of `bench/results`, for tries that are not to be kept.
 */
import { join } from "node:path";

export interface RunLength {
  readonly seconds: number;
  readonly rounds: number;
}

export const LENGTH: RunLength = { seconds: Number(process.argv[2] ?? 4), rounds: Number(process.argv[3] ?? 3) };
export const RESULTS = process.env["BENCH_RESULTS"] ?? join(import.meta.dir, "../results");

export function say(progress: string): void {
  process.stderr.write(`${progress}\n`);
}
