import { describe, expect, test } from "bun:test";
import { expectationOf } from "./expectations.ts";
import { generateMatrix, nameOf, UPSTREAMS } from "./lists.ts";
import { runMatrix } from "./support/run-matrix.ts";

/** FAULTS narrows it down to cells whose name holds that text, to look into one. */
const wanted = process.env["FAULTS"] ?? "";
const { cells, impossible } = generateMatrix();
const chosen = cells.filter((cell) => nameOf(cell).includes(wanted));
const startedMs = performance.now();
const results = new Map((await runMatrix(chosen, "source")).map((result) => [nameOf(result.cell), result]));
const held = [...results.values()].filter(({ problems }) => problems.length === 0).length;
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`fault matrix: ${chosen.length} cells, ${held} held, ${impossible.length} impossible, ${seconds} s`);
const reasons = Map.groupBy(impossible, ({ reason }) => reason);
for (const [reason, list] of reasons) console.log(`  impossible, ${list.length}: ${reason}`);
for (const { cell, problems } of results.values())
  if (problems.length > 0) console.log(`  ${nameOf(cell)}: ${[...new Set(problems)].slice(0, 3).join(" | ")}`);

describe.each(UPSTREAMS.filter((upstream) => chosen.some((cell) => cell.upstream === upstream)))(
  "faults of %s",
  (upstream) => {
    for (const cell of chosen.filter((one) => one.upstream === upstream)) {
      test(`${cell.fault}, ${cell.stage}: ${expectationOf(cell).kind}`, () => {
        expect(results.get(nameOf(cell))?.problems).toEqual([]);
      });
    }
  },
);
