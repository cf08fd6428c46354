/**
 * What happens at twice the rate that can be served: requests with a JWT each that the service has never seen or has long forgotten (the
 * costliest that are answered from memory), at half of that rate, then twice of it, then half again, while /healthcheck is asked 20 times a
 * second. Everything counts by when a request was to be sent. The service has one core. Needs wrk, Go (for vegeta) and dist/chinmina-bridge.
 *
 *   bun bench/overload.ts [SECONDS] [ROUNDS]   half SECONDS, twice three times as long, half twice as long, 7 s at least; one round
 *
 * Ends with status 1 when nothing is shed, a health check fails, a request gets no answer or another than 200 and 503, a 503 says not when to
 * come again, a JWT was still remembered, what is served or a health check takes seconds, or it takes longer than 5 until all is as before.
 */
import { IMAGE_SETTINGS } from "../tests/support/image-settings.ts";
import { lineChart } from "./load/chart.ts";
import { startBinary } from "./load/contender.ts";
import { workFolder } from "./load/folder.ts";
import { leaveServerCores, memoryMiB } from "./load/machine.ts";
import { LENGTH, say } from "./load/options.ts";
import { latency, metAgain, problemsOf, SERVED, settledAfter, SHED, withStatus, within } from "./load/overload.ts";
import { FORGOTTEN_AFTER } from "./load/remembered.ts";
import { count, mebibytes, publish, show, time } from "./load/report.ts";
import { createSurroundings } from "./load/surroundings.ts";
import { attack, installVegeta, writeHealthTarget, writeTargets, type Hit } from "./load/vegeta.ts";
import { drive, requireWrk, writeWorkload } from "./load/wrk.ts";

/** Most of these are shed, and only those that are verified drive others out of its memory: enough while a twelfth is. */
const FORGOTTEN_AFTER_WHEN_SHED = 200_000;
const HEALTH_PER_SECOND = 20;
/** Time to see what comes after the overload, which may take five seconds, and for vegeta to read its list before. */
const LEAST_AFTERWARDS = 7;

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
// Several times: while others are shed, fewer are verified between two uses of one.
const walked = surroundings.repeat(3 * FORGOTTEN_AFTER, "/token");
const workload = writeWorkload(folder.path, "capacity", walked);
await drive(bridge, workload, { connections: 64, seconds: 2 });
const { perSecond } = await drive(bridge, workload, { connections: 64, seconds: Math.max(2, LENGTH.seconds) });
const half = Math.round(perSecond / 2);
say(`it serves ${count(perSecond)} a second`);

const { seconds } = LENGTH;
const whole = 4 * seconds + Math.max(2 * seconds, LEAST_AFTERWARDS);
const more = { perSecond: 3 * half, seconds: 3 * seconds };
// On from where the walk stopped, since its last ones are remembered.
const stopped = (workload.sentTo.get(bridge.name) ?? 0) % walked.length;
const always = [...walked.slice(stopped), ...walked.slice(0, stopped)];
// Of another second than those of the walk, so none is among them.
const added = surroundings.repeat(Math.min(FORGOTTEN_AFTER_WHEN_SHED, more.perSecond * more.seconds), "/token");
const known = new Set(walked.map(({ jwt }) => jwt));
if (added.some(({ jwt }) => known.has(jwt))) throw new Error("JWTs were issued twice");
const [alwaysFile, addedFile] = [
  writeTargets(folder.path, "always", bridge, always),
  writeTargets(folder.path, "added", bridge, added),
];
const [base, extra, health] = await Promise.all([
  attack(alwaysFile, { perSecond: half, seconds: whole }),
  Bun.sleep(seconds * 1000).then(() => attack(addedFile, more)),
  attack(writeHealthTarget(folder.path, bridge), { perSecond: HEALTH_PER_SECOND, seconds: whole }),
]);
const hits = [...base, ...extra].sort((one, other) => one.intendedMs - other.intendedMs);
const firstOf = (of: readonly Hit[]): number => of.reduce((least, hit) => Math.min(least, hit.intendedMs), Infinity);
const [startMs, beginMs] = [firstOf(base), firstOf(extra)];
const endMs = beginMs + more.seconds * 1000;
const settledMs = settledAfter(base, endMs, half);

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
    "after the overload, until nothing is shed any more and the p99 of a second is under 50 ms": show(
      settledMs,
      (ms) => `${(ms / 1000).toFixed(1)} s`,
    ),
    memory: `idle ${mebibytes(bridge.idleMiB)}, peak ${mebibytes(memoryMiB(bridge.pid, "VmHWM"))}`,
  },
  figures: { perSecond, settledUs: settledMs * 1000 },
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

const problems = problemsOf({
  hits,
  health,
  settledMs,
  metAgain: metAgain([
    { hits: base, jwts: always.length },
    { hits: extra, jwts: added.length },
  ]),
});
if (problems.length > 0) throw new Error(problems.join("\n"));

function inMs(ms: number): string {
  return time(ms * 1000);
}

function timeline(of: readonly Hit[]): (readonly [number, number])[] {
  const buckets = Map.groupBy(of, ({ intendedMs }) => Math.floor((intendedMs - startMs) / 250));
  return [...buckets]
    .sort(([one], [other]) => one - other)
    .map(([bucket, inside]) => [bucket / 4, latency(inside, 0.99)] as const);
}
