/**
 * Everything in turn, each script in a process of its own, then the tables into the documentation.
 *
 *   make bench, or: bun bench/all.ts [SECONDS] [ROUNDS]      results in bench/results
 *   make bench-quick                                         results in dist/bench, documentation untouched
 */
import { join } from "node:path";
import { LENGTH, say } from "./load/options.ts";

const SCRIPTS = [
  "cached-token",
  "budget",
  "constant-rate",
  "shared-hits",
  "uncached",
  "startup",
  "policy-files",
  "memory",
  "growth",
  "scaling",
  "overload",
  "cost",
  "goals",
];

const isToBeKept = process.env["BENCH_RESULTS"] === undefined;
const failed = [];
for (const name of isToBeKept ? [...SCRIPTS, "write-docs"] : SCRIPTS) {
  say(`\n== ${name}`);
  const command = [process.execPath, join(import.meta.dir, `${name}.ts`)];
  const numbers = name === "write-docs" ? [] : [LENGTH.seconds, LENGTH.rounds].map(String);
  const script = Bun.spawn(command.concat(numbers), { stdout: "inherit", stderr: "inherit" });
  if ((await script.exited) !== 0) failed.push(name);
}
if (failed.length > 0) {
  say(`\nfailed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
