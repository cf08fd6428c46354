import { describe, expect, test } from "bun:test";
import { expectationOf } from "./expectations.ts";
import { generateMatrix, nameOf, type Cell, type Fault } from "./lists.ts";
import { runMatrix } from "./support/run-matrix.ts";

/** On real time: those that are over at once. Deadlines of the binary are tested with its HTTP. */
const FAULTS: ReadonlySet<Fault> = new Set<Fault>([
  "refuse",
  "reset mid-body",
  "garbage",
  "certificate of a stranger",
  "404",
  "429 with retry-after",
  "503",
  "not json",
  "noperm",
  "reply of another type",
]);
/** Half a minute of tries, or a wait for the next: one of each kind. */
const STARTS: ReadonlySet<string> = new Set([
  "github contents, 503, starting",
  "secrets manager, refuse, starting",
  "kms keyset, 404, starting",
  "valkey, refuse, starting",
]);

const isChosen = (cell: Cell): boolean =>
  (FAULTS.has(cell.fault) && (cell.stage === "cold" || cell.stage === "hot")) || STARTS.has(nameOf(cell));
const chosen = generateMatrix().cells.filter(isChosen);
const startedMs = performance.now();
const results = await runMatrix(chosen, "binary");
const held = results.filter(({ problems }) => problems.length === 0).length;
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`fault matrix of the binary: ${chosen.length} cells, ${held} held, ${seconds} s`);

describe("faults, against the binary", () => {
  for (const cell of chosen) {
    test(`${nameOf(cell)}: ${expectationOf(cell).kind}`, () => {
      const result = results.find((one) => nameOf(one.cell) === nameOf(cell));
      expect(result?.problems).toEqual([]);
    });
  }
});
