/**
 * Runs the test suites, each with what it needs, and ends with `N passed, N failed` alone on a line.
 *
 *   bun scripts/run-tests.ts quick|default|heavy|all
 *
 * The HTTP tests run twice: against the source, in this process, and against dist/chinmina-bridge.
 * A file in which a test failed is run once more at the end, alone: what fails again has failed, what passes is named as unsteady.
 * TEST_BUDGET_SECONDS: no further suite is begun after that time; what was left out is said.
 */
import { existsSync, readdirSync } from "node:fs";
import type { Failure } from "./tests/report.ts";
import { partThatFailed, runSuite, secondsSince, type Suite } from "./tests/suite.ts";

const QUICK: readonly Suite[] = [
  {
    name: "architecture, unit and property tests",
    paths: ["tests/architecture.test.ts", "tests/unit", "tests/property"],
  },
  { name: "outages, refusals and floods in virtual time", paths: ["tests/resilience"] },
  { name: "what is deployed and what is documented", paths: ["tests/deploy", "tests/documentation"] },
];
const DEFAULT: readonly Suite[] = [
  ...QUICK,
  { name: "two instances in 10,000 simulated worlds", paths: ["tests/simulation"] },
  { name: "HTTP tests against the source", paths: ["tests/http"], environment: { BRIDGE_UNDER_TEST: "source" } },
  { name: "HTTP tests against the binary", paths: ["tests/http"], environment: { BRIDGE_UNDER_TEST: "binary" } },
  { name: "every fault of every upstream", paths: ["tests/faults"] },
  { name: "tests of the binary and its tools", paths: ["tests/integration"] },
];
/** Outside servers and emulators, which each installs or names. */
const HEAVY: readonly Suite[] = readdirSync("tests/heavy")
  .sort()
  .map((entry) => ({ name: `outside servers: ${entry.replace(/\.test\.ts$/, "")}`, paths: [`tests/heavy/${entry}`] }));

const suites: Readonly<Record<string, readonly Suite[]>> = {
  quick: QUICK,
  default: DEFAULT,
  heavy: HEAVY,
  all: [...DEFAULT, ...HEAVY],
};

const chosen = suites[process.argv[2] ?? ""];
if (chosen === undefined) {
  console.error("usage: bun scripts/run-tests.ts quick|default|heavy|all");
  process.exit(2);
}
process.exit(await runAll(chosen));

/** Two suites at a time, because most of them mostly wait; the outside servers one by one. */
async function runAll(list: readonly Suite[]): Promise<number> {
  const budgetMs = Number(process.env["TEST_BUDGET_SECONDS"] ?? "Infinity") * 1000;
  const startedMs = performance.now();
  const there = list.filter(({ paths }) => paths.some((path) => existsSync(path)));
  const again: Suite[] = [];
  const unsteady: Failure[] = [];
  const failures: Failure[] = [];
  let passed = 0;

  const lane = async (queue: Suite[]): Promise<void> => {
    for (let suite = queue.shift(); suite !== undefined; suite = queue.shift()) {
      if (performance.now() - startedMs > budgetMs) {
        console.log(`\n== left out for lack of time: ${suite.name}`);
        continue;
      }
      const outcome = await runSuite(suite);
      passed += outcome.passed;
      if (outcome.failed === 0) continue;
      unsteady.push(...outcome.failures);
      again.push(partThatFailed(suite, outcome.failures));
    }
  };
  const together = there.filter((suite) => !HEAVY.includes(suite));
  await Promise.all([lane(together), lane(together)]);
  await lane(there.filter((suite) => HEAVY.includes(suite)));

  for (const suite of again) failures.push(...(await runSuite(suite)).failures);
  const isSame = (one: Failure) => (other: Failure) => one.file === other.file && one.name === other.name;
  const steadied = unsteady.filter((one) => !failures.some(isSame(one)));
  tell("passed only when run again, alone:", steadied);
  tell("failed:", failures);
  console.log(`\n${secondsSince(startedMs)} s`);
  console.log(`${passed + steadied.length} passed, ${failures.length} failed`);
  return failures.length === 0 && passed > 0 ? 0 : 1;
}

function tell(what: string, failures: readonly Failure[]): void {
  if (failures.length > 0) console.log(["", what, ...failures.map(({ file, name }) => `  ${file} ${name}`)].join("\n"));
}
