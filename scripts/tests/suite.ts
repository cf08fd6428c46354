import { existsSync } from "node:fs";
import { readReport, shown, type Failure, type Outcome } from "./report.ts";

export interface Suite {
  readonly name: string;
  /** Files or folders, from the project's root; those that are not there are left out. */
  readonly paths: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** For tests that do not say otherwise. */
const TEST_TIMEOUT_MS = "20000";

/** Runs a suite in a process of its own, and shows what it said when it is over, so that two do not mix. */
export async function runSuite({ name, paths, environment }: Suite): Promise<Outcome> {
  const startedMs = performance.now();
  console.log(`-- ${name}: begun`);
  const existing = paths.filter((path) => existsSync(path)).map((path) => `./${path}`);
  const run = Bun.spawn([process.execPath, "test", "--timeout", TEST_TIMEOUT_MS, ...existing], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [said, reported] = await Promise.all([run.stdout.text(), run.stderr.text()]);
  const outcome = readReport(reported, await run.exited);
  console.log(`\n== ${name}: ${secondsSince(startedMs)} s\n${said}${shown(reported)}`);
  return outcome;
}

/** The part of a suite that holds what failed; all of it when that cannot be told. */
export function partThatFailed(suite: Suite, failures: readonly Failure[]): Suite {
  const files = [...new Set(failures.map(({ file }) => file))];
  const paths = files.every((file) => file !== "" && existsSync(file)) ? files : suite.paths;
  return { ...suite, name: `once more, alone: ${suite.name}`, paths };
}

export function secondsSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}
