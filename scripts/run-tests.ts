/**
 * Runs the test suites in order, each with what it needs, and ends with `N passed, N failed` alone on a line.
 *
 *   bun scripts/run-tests.ts quick|default|heavy|all
 *
 * The HTTP tests run twice: against the source, in this process, and against dist/chinmina-bridge.
 * TEST_BUDGET_SECONDS: no further suite is begun after that time; what was left out is said and counts as failed only outside `all`.
 */
import { existsSync, readdirSync } from "node:fs";

/** For tests that do not say otherwise. */
const TEST_TIMEOUT_MS = "20000";

interface Suite {
  readonly name: string;
  readonly paths: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly retry?: boolean;
}

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
/**
 * Outside servers and emulators; each installs or names what it needs. They depend on machines and networks of others: one that fails is run
 * once more, and that is said.
 */
const HEAVY: readonly Suite[] = readdirSync("tests/heavy")
  .sort()
  .map((entry) => ({
    name: `outside servers: ${entry.replace(/\.test\.ts$/, "")}`,
    paths: [`tests/heavy/${entry}`],
    retry: true,
  }));

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
  const total = { passed: 0, failed: 0 };

  const lane = async (queue: Suite[]): Promise<void> => {
    for (let suite = queue.shift(); suite !== undefined; suite = queue.shift()) {
      if (performance.now() - startedMs > budgetMs) {
        console.log(`\n== left out for lack of time: ${suite.name}`);
        continue;
      }
      const { passed, failed } = await runWithRetry(suite);
      total.passed += passed;
      total.failed += failed;
    }
  };

  const together = there.filter((suite) => !HEAVY.includes(suite));
  await Promise.all([lane(together), lane(together)]);
  await lane(there.filter((suite) => HEAVY.includes(suite)));
  console.log(`\n${secondsSince(startedMs)} s`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

async function runWithRetry(suite: Suite): Promise<Outcome> {
  const outcome = await runSuite(suite);
  if (outcome.failed === 0 || suite.retry !== true) return outcome;
  console.log(`\n== ${outcome.failed} failed in "${suite.name}": once more`);
  return runSuite(suite);
}

/** Shows what a suite said when it is over, so that two do not mix: names of passing tests are left out. */
async function runSuite({ name, paths, environment }: Suite): Promise<Outcome> {
  const startedMs = performance.now();
  console.log(`-- ${name}: begun`);
  const existing = paths.filter((path) => existsSync(path)).map((path) => `./${path}`);
  const run = Bun.spawn([process.execPath, "test", "--timeout", TEST_TIMEOUT_MS, ...existing], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [said, reported] = await Promise.all([run.stdout.text(), run.stderr.text()]);
  const code = await run.exited;
  const shown = reported.split("\n").filter((line) => !/^(?:\(pass\)|✓)/.test(Bun.stripANSI(line)));
  console.log(`\n== ${name}: ${secondsSince(startedMs)} s\n${said}${shown.join("\n")}`);
  const passed = count(reported, /^ *(\d+) pass$/m);
  const failed = count(reported, /^ *(\d+) fail$/m) + count(reported, /^ *(\d+) errors?$/m);
  return { passed, failed: code === 0 ? failed : Math.max(1, failed) };
}

function secondsSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}

function count(output: string, pattern: RegExp): number {
  return Number(pattern.exec(Bun.stripANSI(output))?.[1] ?? 0);
}
