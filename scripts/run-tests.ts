/**
 * Runs the test suites in order, each with what it needs, and ends with `N passed, N failed` alone on a line.
 *
 *   bun scripts/run-tests.ts quick|default|heavy|all
 *
 * The HTTP tests run twice: against the source, in this process, and against dist/chinmina-bridge.
 * TEST_BUDGET_SECONDS: no further suite is begun after that time; what was left out is said and counts as failed only outside `all`.
 */
import { existsSync, readdirSync } from "node:fs";

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

async function runAll(list: readonly Suite[]): Promise<number> {
  const budgetMs = Number(process.env["TEST_BUDGET_SECONDS"] ?? "Infinity") * 1000;
  const startedMs = performance.now();
  let passed = 0;
  let failed = 0;
  for (const suite of list.filter(({ paths }) => paths.some((path) => existsSync(path)))) {
    if (performance.now() - startedMs > budgetMs) {
      console.log(`\n== left out for lack of time: ${suite.name}`);
      continue;
    }
    let result = await runSuite(suite);
    if (result.failed > 0 && suite.retry === true) {
      console.log(`\n== ${result.failed} failed in "${suite.name}": once more`);
      result = await runSuite(suite);
    }
    passed += result.passed;
    failed += result.failed;
  }
  console.log(`\n${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function runSuite({ name, paths, environment }: Suite): Promise<{ passed: number; failed: number }> {
  console.log(`\n== ${name}`);
  const existing = paths.filter((path) => existsSync(path)).map((path) => `./${path}`);
  const run = Bun.spawn([process.execPath, "test", ...existing], {
    env: { ...process.env, ...environment },
    stdout: "inherit",
    stderr: "pipe",
  });
  const output = await relay(run.stderr);
  const passed = count(output, /^ *(\d+) pass$/m);
  const failed = count(output, /^ *(\d+) fail$/m) + count(output, /^ *(\d+) errors?$/m);
  const code = await run.exited;
  return { passed, failed: code === 0 ? failed : Math.max(1, failed) };
}

/** bun test reports on standard error: names of passing tests are left out, everything else is shown as it comes. */
async function relay(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  let rest = "";
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    all += text;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (!/^(?:\x1b\[\d+m)*(?:\(pass\)|✓)/.test(line)) process.stderr.write(`${line}\n`);
  }
  process.stderr.write(rest);
  return all;
}

function count(output: string, pattern: RegExp): number {
  return Number(pattern.exec(Bun.stripANSI(output))?.[1] ?? 0);
}
