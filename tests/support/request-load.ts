import { expect } from "bun:test";
import type { Simulator } from "../../src/simulator/simulator.ts";
import type { OutputLine } from "./bridge.ts";
import type { Fleet, TestWorld } from "./world.ts";

/** What the clients of a fleet saw while something was done to what it depends on. */
export interface RequestLoadReport {
  readonly sent: number;
  /** Without an answer, with another status than 200, or with a token for another repository. There must be none. */
  readonly failed: number;
  /** As clients measure it, on a machine that also runs them, the servers and the simulator. */
  readonly slowestMs: number;
  readonly medianMs: number;
  /** As the service measures it, by its audit entries. */
  readonly slowestInServiceMs: number;
  /** How much later than it was due the latest timer of this process came: the machine's share in what is slow. */
  readonly machineLagMs: number;
  /** Where the tokens came from, by the audit entries: `memory`, `valkey`, `github`. */
  readonly sources: Readonly<Record<string, number>>;
}

const PIPELINES = 60;
const PAUSE_MS = 4;

/** Gives the simulated world as many pipelines as `sendRequests` asks for. */
export function addLoadPipelines({ world: { buildkite } }: Simulator): void {
  const [organization] = buildkite.organizations;
  const [job] = buildkite.jobs;
  if (organization === undefined || job === undefined) throw new Error("the simulated world is empty");
  for (let index = 0; index < PIPELINES; index++) {
    const [id, slug] = [crypto.randomUUID(), slugOf(index)];
    organization.pipelines.push({ id, slug, name: slug, repository: "https://github.com/acme/widget.git" });
    buildkite.jobs.push({ ...job, id: crypto.randomUUID(), pipelineId: id });
  }
}

/** With this in the configuration the load reaches Valkey and not memory alone: an entry is read again after a second. */
export const LOAD_VARIABLES = { CACHE_LOCAL_TTL_SECS: "1" } as const;

export interface LoadOptions {
  /** False: the instance gets no requests at the moment, as from a load balancer that has seen it go. */
  readonly isUp?: (world: TestWorld) => boolean;
  /** How many of the pipelines ask at the moment, at most 60: the others are cold until they do. */
  readonly reach?: () => number;
}

/**
 * Asks for tokens from so many loops until `during` has ended, in turn at every instance that is up.
 */
export async function sendRequests(
  fleet: Pick<Fleet, "simulator" | "worlds">,
  loops: number,
  during: () => Promise<unknown>,
  { isUp = () => true, reach = () => PIPELINES }: LoadOptions = {},
): Promise<RequestLoadReport> {
  const jwts = Array.from({ length: PIPELINES }, (_none, index) => jwtOf(fleet, slugOf(index)));
  const auditedBefore = new Map(fleet.worlds.map((world) => [world, world.bridge.audit.length]));
  const took: number[] = [];
  const finished = new AbortController();
  let failed = 0;
  let next = 0;

  const request = async (): Promise<void> => {
    const turn = next++;
    const up = fleet.worlds.filter(isUp);
    const world = up[turn % up.length];
    const startedMs = performance.now();
    if (world === undefined || !(await isGood(world, jwts[Math.floor(turn / up.length) % reach()] ?? ""))) failed += 1;
    took.push(performance.now() - startedMs);
  };
  const loop = async (): Promise<void> => {
    while (!finished.signal.aborted) {
      await request();
      await Bun.sleep(PAUSE_MS);
    }
  };
  const running = Array.from({ length: loops }, loop);
  const lag = measureLag();
  try {
    await during();
  } finally {
    finished.abort();
    await Promise.all(running);
    lag.stop();
  }
  const audit = await Promise.all(fleet.worlds.map((world) => auditSince(world, auditedBefore.get(world) ?? 0)));
  const times = { ...summarizeTimes(took), machineLagMs: Math.round(lag.worstMs()) };
  return { sent: took.length, failed, ...times, ...summarizeAudit(audit.flat()) };
}

/** What Valkey may cost a request, and a call to the simulated GitHub. */
const SLOWEST_IN_SERVICE_MS = 250 + 250;
/** The service is as late as this process is, once when it waits for Valkey and once when GitHub's simulator, which lives here, answers. */
const LAGS = 3;

/** Prints the report and holds it against what the service promises, whatever is done to Valkey. */
export function checkLoad(title: string, load: RequestLoadReport): void {
  console.log(`${title}: ${JSON.stringify(load)}`);
  expect(load.failed).toBe(0);
  expect(load.sent).toBeGreaterThan(500);
  expect(load.sources["valkey"]).toBeGreaterThan(50);
  expect(load.slowestInServiceMs).toBeLessThan(SLOWEST_IN_SERVICE_MS + LAGS * load.machineLagMs);
}

/** How many lines of the operational log begin so. */
export function countSaid({ bridge }: TestWorld, message: string): number {
  return bridge.lines.filter((line) => String(line["message"]).startsWith(message)).length;
}

/** Resolves when each instance has said it so many times. */
export async function untilAllSay({ worlds }: Pick<Fleet, "worlds">, message: string, times: number): Promise<void> {
  for (const world of worlds) while (countSaid(world, message) < times) await Bun.sleep(20);
}

/** From now on: resolves, when asked, as soon as each instance has said it once more. */
export function sayAgain({ worlds }: Pick<Fleet, "worlds">, message: string): () => Promise<void> {
  const before = worlds.map((world) => countSaid(world, message));
  return async () => {
    for (const [index, world] of worlds.entries()) {
      while (countSaid(world, message) <= (before[index] ?? 0)) await Bun.sleep(20);
    }
  };
}

const LAG_PROBE_MS = 10;

function measureLag(): { readonly worstMs: () => number; readonly stop: () => void } {
  let [last, worst] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - LAG_PROBE_MS);
    last = now;
  }, LAG_PROBE_MS);
  return { worstMs: () => worst, stop: () => clearInterval(timer) };
}

async function isGood(world: TestWorld, jwt: string): Promise<boolean> {
  try {
    const headers = { authorization: `Bearer ${jwt}` };
    const response = await fetch(`${world.bridge.url}/token`, { method: "POST", headers });
    const { repositories } = (await response.json()) as any;
    return response.status === 200 && repositories?.names?.join() === "widget";
  } catch {
    return false;
  }
}

/** Lines come in order: when that of a last request is there, all are. */
async function auditSince(world: TestWorld, from: number): Promise<readonly OutputLine[]> {
  await world.ask("/token");
  return world.bridge.audit.slice(from, -1);
}

function summarizeTimes(took: number[]): Pick<RequestLoadReport, "slowestMs" | "medianMs"> {
  took.sort((a, b) => a - b);
  const rounded = (ms: number | undefined): number => Math.round((ms ?? 0) * 10) / 10;
  return { slowestMs: rounded(took.at(-1)), medianMs: rounded(took[Math.floor(took.length / 2)]) };
}

function summarizeAudit(lines: readonly OutputLine[]): Pick<RequestLoadReport, "slowestInServiceMs" | "sources"> {
  const sources: Record<string, number> = {};
  for (const { token } of lines) sources[token?.source ?? "none"] = (sources[token?.source ?? "none"] ?? 0) + 1;
  return { slowestInServiceMs: Math.max(0, ...lines.map(({ request }) => request.durationMs)), sources };
}

function jwtOf({ simulator }: Pick<Fleet, "simulator">, slug: string): string {
  return simulator.oidc.issueToken({}, { jobId: simulator.jobOf(slug).id });
}

function slugOf(index: number): string {
  return `load-${index}`;
}
