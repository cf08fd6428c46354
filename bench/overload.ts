/**
 * What happens at twice the rate that can be served: requests with a JWT each that was never seen (the costliest that are answered from memory),
 * at half of that rate, then twice of it, then half again, while /healthcheck is asked 20 times a second. Latency is counted from when a
 * request was to be sent. The service has one core. Needs wrk, Go (for vegeta) and dist/chinmina-bridge.
 *
 *   bun bench/overload.ts [SECONDS] [ROUNDS]   half SECONDS, twice three times as long, half twice as long; one round
 */
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { lineChart } from "./load/chart.ts";
import { startBinary } from "./load/contender.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores, memoryMiB, quantile } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { count, mebibytes, publish, show, time } from "./load/report.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { attack, installVegeta, writeHealthTarget, writeTargets, type Hit } from "./load/vegeta.ts";
import { drive, requireWrk, writeWorkload } from "./load/wrk.ts";

const NEVER_REPEATED = 20_000;
const HEALTH_PER_SECOND = 20;
const SERVED = 200;
const SHED = 503;

requireWrk();
installVegeta();
leaveServerCores();
using folder = workFolder();
await using surroundings = await createSurroundings(0);
await using bridge = await startBinary(
  "bridge",
  { ...surroundings.environment, ...IMAGE_SETTINGS },
  { cores: process.env["SERVER_CORES"] ?? "0" },
);
const requests = surroundings.repeat(NEVER_REPEATED, "/token");
const workload = writeWorkload(folder.path, "capacity", requests);
await drive(bridge, workload, { connections: 64, seconds: 2 });
const { perSecond } = await drive(bridge, workload, { connections: 64, seconds: Math.max(2, LENGTH.seconds) });
const half = Math.round(perSecond / 2);
say(`it serves ${count(perSecond)} a second`);

const { seconds } = LENGTH;
const whole = 6 * seconds;
const targets = (name: string): string => writeTargets(folder.path, name, bridge, requests);
const [always, added] = [targets("always"), targets("added")];
const [base, extra, health] = await Promise.all([
  attack(always, { perSecond: half, seconds: whole }),
  Bun.sleep(seconds * 1000).then(() => attack(added, { perSecond: 3 * half, seconds: 3 * seconds })),
  attack(writeHealthTarget(folder.path, bridge), { perSecond: HEALTH_PER_SECOND, seconds: whole }),
]);
const hits = [...base, ...extra].sort((one, other) => one.sentMs - other.sentMs);
const startMs = base[0]?.sentMs ?? 0;
const beginMs = Math.min(...extra.map(({ sentMs }) => sentMs).slice(0, 1));
const endMs = extra.reduce((last, { sentMs }) => Math.max(last, sentMs), 0);
const settledMs = settledAfter();

const phases = [
  { name: "half of what it can serve", from: startMs, to: beginMs },
  { name: "twice of it, first second", from: beginMs, to: beginMs + 1000 },
  { name: "twice of it, from then on", from: beginMs + 1000, to: endMs },
  { name: "half again, first second", from: endMs, to: endMs + 1000 },
  { name: "half again, from then on", from: endMs + 1000, to: Number.POSITIVE_INFINITY },
];
publish({
  name: "overload",
  table: {
    columns: ["load", "asked/s", "served/s", "503/s", "no answer", "p50 served", "p99 served", "p99 503", "p99 health"],
    labels: 1,
    rows: phases.map(({ name, from, to }) => {
      const of = within(hits, from, to);
      const span = (Math.min(to, startMs + whole * 1000) - from) / 1000;
      const [served, shed] = [withStatus(of, SERVED), withStatus(of, SHED)];
      const lost = of.length - served.length - shed.length;
      const late = within(health, from, to);
      const healthy = withStatus(late, SERVED);
      return [
        name,
        count(of.length / span),
        count(served.length / span),
        count(shed.length / span),
        count(lost),
        inMs(latency(served, 0.5)),
        inMs(latency(served, 0.99)),
        inMs(latency(shed, 0.99)),
        healthy.length < late.length ? `${late.length - healthy.length} failed` : inMs(latency(healthy, 0.99)),
      ];
    }),
  },
  notes: {
    "it can serve": `${count(perSecond)} a second`,
    "after the overload, back to p99 under 50 ms and nothing shed": show(
      settledMs,
      (ms) => `${(ms / 1000).toFixed(1)} s`,
    ),
    memory: `idle ${mebibytes(bridge.idleMiB)}, peak ${mebibytes(memoryMiB(bridge.pid, "VmHWM"))}`,
  },
  figures: { perSecond, settledMs },
  charts: {
    latency: lineChart(
      "p99 from the intended start, by 250 ms",
      {
        y: "ms",
        ticks: Array.from({ length: whole + 1 }, (_none, x) => ({ x, label: x % seconds === 0 ? `${x} s` : "" })),
      },
      [
        { name: "served", points: timeline(withStatus(hits, SERVED)) },
        { name: "503", points: timeline(withStatus(hits, SHED)) },
        { name: "health", points: timeline(health) },
      ],
    ),
  },
});

function within(of: readonly Hit[], fromMs: number, toMs: number): Hit[] {
  return of.filter(({ sentMs }) => sentMs >= fromMs && sentMs < toMs);
}

function withStatus(of: readonly Hit[], wanted: number): Hit[] {
  return of.filter(({ status }) => status === wanted);
}

function latency(of: readonly Hit[], share: number): number {
  return quantile(
    of.map(({ latencyMs }) => latencyMs),
    share,
  );
}

function inMs(ms: number): string {
  return time(ms * 1000);
}

function timeline(of: readonly Hit[]): (readonly [number, number])[] {
  const buckets = Map.groupBy(of, ({ sentMs }) => Math.floor((sentMs - startMs) / 250));
  return [...buckets]
    .sort(([one], [other]) => one - other)
    .map(([bucket, inside]) => [bucket / 4, latency(inside, 0.99)] as const);
}

/** Of the requests after the overload: how long until all of a quarter of a second and of those after it are served in time. */
function settledAfter(): number {
  const late = within(hits, endMs, Number.POSITIVE_INFINITY).filter(
    ({ status, latencyMs }) => status !== SERVED || latencyMs > 50,
  );
  const buckets = Map.groupBy(late, ({ sentMs }) => Math.floor((sentMs - endMs) / 250));
  const perBucket = half / 4;
  const bad = [...buckets].filter(([, inside]) => inside.length > perBucket / 100).map(([bucket]) => bucket);
  return bad.length === 0 ? 0 : (Math.max(...bad) + 1) * 250;
}
