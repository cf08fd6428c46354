import { quantile } from "./machine.ts";
import { MOST_REMEMBERED } from "./remembered.ts";
import type { Hit } from "./vegeta.ts";

export const SERVED = 200;
export const SHED = 503;
const INTERVAL_MS = 250;
const INTERVALS_A_SECOND = 1000 / INTERVAL_MS;
const LONGEST_P99_MS = 50;
const GOAL_MS = 5000;
/** Past these, latency grows with the load. */
const LONGEST_SERVED_P99_MS = 2500;
const LONGEST_HEALTH_P99_MS = 1000;

/** Requests with JWTs of their own, so many, that take turns. */
export interface Walk {
  readonly hits: readonly Hit[];
  readonly jwts: number;
}

export function within(of: readonly Hit[], fromMs: number, toMs: number): Hit[] {
  return of.filter(({ intendedMs }) => intendedMs >= fromMs && intendedMs < toMs);
}

export function withStatus(of: readonly Hit[], wanted: number): Hit[] {
  return of.filter(({ status }) => status === wanted);
}

/** In milliseconds; NaN of nothing. */
export function latency(of: readonly Hit[], share: number): number {
  return quantile(
    of.map(({ latencyMs }) => latencyMs),
    share,
  );
}

/**
 * How long after `endMs` the first second begins that is served with a p99 under 50 ms and from which on nothing is shed or lost, in
 * milliseconds, to 250. NaN when there is none: an interval in which fewer were asked than `perSecond` says counts against it.
 */
export function settledAfter(hits: readonly Hit[], endMs: number, perSecond: number): number {
  const intervals = Map.groupBy(hits, ({ intendedMs }) => Math.floor((intendedMs - endMs) / INTERVAL_MS));
  const least = Math.max(1, (0.9 * perSecond) / INTERVALS_A_SECOND);
  const refused = hits.filter(({ intendedMs, status }) => intendedMs >= endMs && status !== SERVED);
  const lastRefusedMs = refused.reduce((last, { intendedMs }) => Math.max(last, intendedMs - endMs), -1);
  const begin = Math.floor(lastRefusedMs / INTERVAL_MS) + 1;
  for (let first = begin; intervals.has(first); first++) {
    const second = Array.from({ length: INTERVALS_A_SECOND }, (_none, index) => intervals.get(first + index) ?? []);
    const isWhole = second.every(({ length }) => length >= least);
    if (isWhole && latency(second.flat(), 0.99) < LONGEST_P99_MS) return first * INTERVAL_MS;
  }
  return Number.NaN;
}

/** How many requests were served with a JWT that the service may have known again: fewer others than it remembers came between. */
export function metAgain(walks: readonly Walk[]): number {
  const served = walks
    .flatMap(({ hits, jwts }, walk) =>
      withStatus(hits, SERVED).map(({ intendedMs, sequence }) => ({ intendedMs, jwt: `${walk}:${sequence % jwts}` })),
    )
    .sort((one, other) => one.intendedMs - other.intendedMs);
  const last = new Map<string, number>();
  let met = 0;
  for (const [index, { jwt }] of served.entries()) {
    if (index - (last.get(jwt) ?? Number.NEGATIVE_INFINITY) <= MOST_REMEMBERED) met += 1;
    last.set(jwt, index);
  }
  return met;
}

export interface Outcome {
  readonly hits: readonly Hit[];
  readonly health: readonly Hit[];
  readonly settledMs: number;
  readonly metAgain: number;
}

/** What must not be, an entry each. */
export function problemsOf(outcome: Outcome): string[] {
  const { hits, health, settledMs } = outcome;
  const count = (of: readonly Hit[], isBad: (hit: Hit) => boolean): number => of.filter(isBad).length;
  const counted = {
    "health checks failed": count(health, ({ status }) => status !== SERVED),
    "requests got no answer": count(hits, ({ status }) => status === 0),
    "answers were neither 200 nor 503": count(hits, ({ status }) => ![0, SERVED, SHED].includes(status)),
    "answers with 503 had no Retry-After": count(
      hits,
      ({ status, hasRetryAfter }) => status === SHED && !hasRetryAfter,
    ),
    "requests had a JWT that was still remembered": outcome.metAgain,
  };
  const late = {
    "requests were served": { p99Ms: latency(withStatus(hits, SERVED), 0.99), mostMs: LONGEST_SERVED_P99_MS },
    "health checks were answered": { p99Ms: latency(health, 0.99), mostMs: LONGEST_HEALTH_P99_MS },
  };
  return [
    ...(health.length === 0 ? ["no health check was sent"] : []),
    ...(hits.length === 0 ? ["no request was sent"] : []),
    ...(withStatus(hits, SHED).length === 0 ? ["nothing was shed: this was no overload"] : []),
    ...Object.entries(late).flatMap(([what, { p99Ms, mostMs }]) =>
      p99Ms > mostMs ? [`${what} after ${p99Ms.toFixed(0)} ms (p99), more than ${mostMs}`] : [],
    ),
    ...Object.entries(counted).flatMap(([what, number]) => (number > 0 ? [`${number} ${what}`] : [])),
    ...(settledMs <= GOAL_MS ? [] : [`not as before within ${GOAL_MS / 1000} s after the overload`]),
  ];
}
