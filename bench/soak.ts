/**
 * Two instances of the compiled binary over a shared store, under mixed load, while everything they depend on breaks and recovers. Ends
 * with status 1 when a request failed that was not to, or memory went over its bound.
 *
 *   make soak, or: bun bench/soak.ts [MINUTES] [FOLDER]     results go to bench/results unless told otherwise
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge, type Bridge } from "../tests/support/bridge.ts";
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { lineChart } from "./load/chart.ts";
import { describeMachine, memoryMiB } from "./load/machine.ts";
import { FORGOTTEN_AFTER } from "./load/remembered.ts";
import { FaultPlan, upstreamFaults } from "./soak/faults.ts";
import { Figures } from "./soak/figures.ts";
import { GRACE_MS, judge, KINDS, Load, type Ask, type Kind, type Reply } from "./soak/load.ts";
import { RecentAudit } from "./soak/recent-audit.ts";
import { startStore } from "./soak/store.ts";

const MINUTES = Number(process.argv[2] ?? 30);
/** Requests a second. Enough `cold` ones that what is remembered of the last thousands is full, and begun anew, within minutes: filling looks like a leak. */
const RATES: Readonly<Record<Kind, number>> = { cached: 60, git: 20, cold: 25, refused: 5, hostile: 10 };
const MOST_UNDER_WAY = 400;
const LOOK_EVERY_MS = 10_000;
const TELL_EVERY_MS = 60_000;
/** A fault lasts longer than a token is fresh before it is due, so that renewals fail, and shorter than held ones serve. */
const FAULTS = { faultMs: 20_000, pauseMs: 12_000 };
/** Shorter runs are too short to tell whether memory grows. */
const JUDGED_FROM_MINUTES = 5;
/** Three eighths of the image's task. The slope is told and not judged: what the collector has left for later grows with the worst moment so far. */
const MOST_MIB = 192;
/** Of the slope. */
const WARM_UP_SHARE = 1 / 3;
const RESULTS = process.argv[3] ?? join(import.meta.dir, "results");

/**
 * Lifetimes as short as can be, so that minutes show what otherwise takes hours; and shares of calls that pipelines who ask four times a
 * second do not use up while they are refused, after which they would have to wait for a minute.
 */
const SETTINGS = {
  CACHE_TOKEN_TTL_SECS: "60",
  CACHE_MAX_STALE_SECS: "300",
  CACHE_LOCAL_TTL_SECS: "15",
  CALLER_UPSTREAM_CALLS_PER_MINUTE: "1000",
};

process.env["BRIDGE_UNDER_TEST"] = "binary";
await using simulator = await startSimulator();
simulator.github.rateLimit.limit = 1_000_000;
await using store = await startStore();
const load = new Load(simulator);
const environment = { ...simulator.environment(), ...store.environment, ...SETTINGS, ...IMAGE_SETTINGS };
const audit = new RecentAudit();
const options = { keepLines: 100, onLine: (line: string) => audit.note(line) };
await using first = await startBridge(environment, options);
await using second = await startBridge(environment, options);
const bridges: readonly Bridge[] = [first, second];
const pids = bridges.map((bridge) => bridge.process.pid);
for (const ask of load.warm())
  for (const bridge of bridges) if ((await send(bridge, ask)).status !== 200) throw new Error("a token cannot be had");
const isJudged = MINUTES >= JUDGED_FROM_MINUTES;
if (isJudged) await fill();

console.log(
  `${MINUTES} minutes, 2 instances, ${store.name}, ${Object.values(RATES).reduce((sum, one) => sum + one)} requests a second`,
);
const figures = new Figures();
const plan = new FaultPlan([...upstreamFaults((one) => (simulator.interceptor = one)), ...store.faults]);
const endMs = performance.now() + MINUTES * 60_000;
let underWay = 0;
let leftOut = 0;
const looking = setInterval(() => look(), LOOK_EVERY_MS);
const telling = setInterval(() => tell(), TELL_EVERY_MS);
await Promise.all([plan.run(endMs, FAULTS), ...KINDS.map((kind) => drive(kind, RATES[kind]))]);
clearInterval(looking);
clearInterval(telling);
const isBusy = (): boolean => underWay > 0;
while (isBusy()) await Bun.sleep(50);
look();
process.exitCode = conclude();

/** Everything that memory is to hold: filling it looks like a leak. */
async function fill(): Promise<void> {
  const all = [...load.everyPipeline(), ...load.differentJwts(FORGOTTEN_AFTER)];
  for (const ask of all) await Promise.all(bridges.map((bridge) => send(bridge, ask)));
}

async function drive(kind: Kind, perSecond: number): Promise<void> {
  const startMs = performance.now();
  for (let count = 0; performance.now() < endMs; count++) {
    const dueMs = startMs + (count * 1000) / perSecond;
    await Bun.sleep(Math.max(0, dueMs - performance.now()));
    const bridge = bridges[count % 2];
    if (underWay >= MOST_UNDER_WAY || bridge === undefined) leftOut += 1;
    else void exchange(kind, bridge);
  }
}

async function exchange(kind: Kind, bridge: Bridge): Promise<void> {
  const ask = load.next(kind);
  const before = plan.lately(GRACE_MS);
  const startMs = performance.now();
  underWay += 1;
  try {
    const reply = await send(bridge, ask);
    // One that begins meanwhile may hit it too.
    const troubles = [...before, ...plan.lately(0)];
    const failure = judge(ask, reply, troubles);
    const tookMs = performance.now() - startMs;
    figures.note(kind, reply.status, tookMs, failure && `${failure}: ${audit.errorOf(reply.requestId)}`);
  } catch (error) {
    figures.note(kind, 0, performance.now() - startMs, String(error));
  } finally {
    underWay -= 1;
  }
}

async function send(bridge: Bridge, { path, jwt, body }: Ask): Promise<Reply> {
  const headers = { authorization: `Bearer ${jwt}` };
  const response = await fetch(`${bridge.url}${path}`, {
    method: "POST",
    headers,
    ...(body === undefined ? {} : { body }),
  });
  await response.arrayBuffer();
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    requestId: response.headers.get("x-request-id"),
  };
}

function look(): void {
  // What the simulator remembers is of no use here, and would only grow.
  simulator.journal.clear();
  figures.look(pids);
}

function tell(): void {
  const { minute, rssMiB, descriptors, requests, p50Ms, p99Ms } = figures.samples.at(-1) ?? figures.look(pids);
  const failed = [...figures.failures.values()].reduce((sum, one) => sum + one, 0);
  const memory = rssMiB.map((one) => one.toFixed(0)).join(" and ");
  console.log(
    `${minute.toFixed(1)} min: ${requests} requests, ${failed} failed, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(0)} ms, ${memory} MiB, ${descriptors.join(" and ")} descriptors`,
  );
  for (const [cause, count] of figures.failures) console.log(`  ${count}  ${cause}`);
}

function conclude(): number {
  const slopes = figures.slopes(MINUTES * WARM_UP_SHARE);
  const failed = [...figures.failures.values()].reduce((sum, one) => sum + one, 0);
  const peakMiB = pids.map((pid) => memoryMiB(pid, "VmHWM"));
  const isTooLarge = isJudged && peakMiB.some((one) => !(one <= MOST_MIB));
  const results = {
    machine: describeMachine(),
    minutes: MINUTES,
    store: store.name,
    requests: figures.requests,
    leftOut,
    failed,
    failures: Object.fromEntries(figures.failures),
    replies: Object.fromEntries([...figures.replies].sort(([one], [other]) => one.localeCompare(other))),
    latency: figures.percentiles(),
    rssSlopeUnderLoadMiBPerMinute: slopes?.map(rounded),
    rssPeakMiB: peakMiB.map(rounded),
    rssBoundMiB: MOST_MIB,
    faults: Object.fromEntries(plan.happened),
    samples: figures.samples,
  };
  write(results);
  const { samples: _samples, machine: _machine, ...summary } = results;
  console.log(JSON.stringify(summary, undefined, 2));
  if (!isJudged) console.log("too short to tell whether memory grows");
  console.log(failed === 0 && !isTooLarge ? "held" : "did not hold");
  return failed === 0 && !isTooLarge ? 0 : 1;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}

function write(results: object): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, "soak.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  const names = ["first instance", "second instance"] as const;
  const of = (field: "rssMiB" | "descriptors") =>
    names.map((name, index) => ({
      name,
      points: figures.samples.map((one) => [one.minute, one[field][index] ?? 0] as const),
    }));
  const ticks = Array.from({ length: 4 }, (_none, index) => {
    const x = Math.round((MINUTES * (index + 1)) / 4);
    return { x, label: `${x} min` };
  });
  const charts = {
    memory: lineChart("Resident memory while everything breaks and recovers", { y: "MiB", ticks }, of("rssMiB")),
    descriptors: lineChart("Open descriptors", { y: "", ticks }, of("descriptors")),
    latency: lineChart("Latency of all requests, ten seconds each", { y: "ms", ticks }, [
      { name: "p50", points: figures.samples.map(({ minute, p50Ms }) => [minute, p50Ms]) },
      { name: "p99", points: figures.samples.map(({ minute, p99Ms }) => [minute, p99Ms]) },
    ]),
  };
  for (const [name, svg] of Object.entries(charts)) writeFileSync(join(RESULTS, `soak-${name}.svg`), svg);
}
