import { describe, expect, test } from "bun:test";
import { metAgain, problemsOf, settledAfter, type Outcome } from "../../../bench/load/overload.ts";
import type { Hit } from "../../../bench/load/vegeta.ts";

const END_MS = 10_000;
const PER_SECOND = 100;

/** `seconds` of evenly spread hits after the overload, each as `of` says. */
function afterwards(seconds: number, of: (ms: number) => Partial<Hit> = () => ({})): Hit[] {
  return Array.from({ length: seconds * PER_SECOND }, (_none, sequence) => {
    const ms = (sequence * 1000) / PER_SECOND;
    return { intendedMs: END_MS + ms, latencyMs: 2, status: 200, hasRetryAfter: false, sequence, ...of(ms) };
  });
}

const settled = (hits: readonly Hit[]): number => settledAfter(hits, END_MS, PER_SECOND);

describe("settledAfter", () => {
  test("is at once when everything is served in time", () => {
    expect(settled(afterwards(3))).toBe(0);
  });

  test("claims nothing without requests, with too few of them, or with less than a second of them", () => {
    expect(settled([])).toBeNaN();
    expect(settled(afterwards(3).filter(({ sequence }) => sequence % 2 === 0))).toBeNaN();
    expect(settled(afterwards(3).slice(0, 80))).toBeNaN();
  });

  test("begins after the last request that was shed, and be it one in a thousand", () => {
    const hits = afterwards(10, (ms) => (ms === 1300 ? { status: 503 } : {}));
    expect(settled(hits)).toBe(1500);
  });

  test("begins with the first second whose p99 is in time", () => {
    expect(settled(afterwards(5, (ms) => (ms < 1000 ? { latencyMs: 80 } : {})))).toBe(1000);
    expect(settled(afterwards(5, () => ({ latencyMs: 50 })))).toBeNaN();
  });
});

describe("metAgain", () => {
  test("counts a JWT that is served again before enough others were", () => {
    expect(metAgain([{ hits: afterwards(200), jwts: 20_000 }])).toBe(0);
    expect(metAgain([{ hits: afterwards(201), jwts: 20_000 }])).toBe(0);
    expect(metAgain([{ hits: afterwards(200), jwts: 16_000 }])).toBe(4000);
  });

  test("those that were shed were not seen, and two walks have none in common", () => {
    const [hits, shed] = [afterwards(100), afterwards(100, () => ({ status: 503 }))];
    expect(metAgain([{ hits: [...shed, ...hits], jwts: 10_000 }])).toBe(0);
    expect(metAgain([hits, hits].map((one) => ({ hits: one, jwts: 10_000 })))).toBe(0);
  });
});

describe("problemsOf", () => {
  const [good] = afterwards(1);
  if (good === undefined) throw new TypeError("there are no hits");
  const shed = { ...good, status: 503, hasRetryAfter: true };
  const outcome: Outcome = { hits: [good, shed], health: [good], settledMs: 5000, metAgain: 0 };

  test("finds none in what is expected", () => {
    expect(problemsOf(outcome)).toEqual([]);
  });

  test("finds them all where nothing was sent", () => {
    expect(problemsOf({ ...outcome, hits: [], health: [] })).toEqual([
      "no health check was sent",
      "no request was sent",
      "nothing was shed: this was no overload",
    ]);
  });

  test.each<readonly [string, Partial<Outcome>]>([
    ["no health check was sent", { health: [] }],
    ["1 health checks failed", { health: [good, shed] }],
    ["nothing was shed: this was no overload", { hits: [good] }],
    ["requests were served after 2501 ms (p99), more than 2500", { hits: [{ ...good, latencyMs: 2501 }, shed] }],
    ["health checks were answered after 1001 ms (p99), more than 1000", { health: [{ ...good, latencyMs: 1001 }] }],
    ["1 requests got no answer", { hits: [good, shed, { ...good, status: 0 }] }],
    ["1 answers were neither 200 nor 503", { hits: [good, shed, { ...good, status: 500 }] }],
    ["1 answers with 503 had no Retry-After", { hits: [good, { ...shed, hasRetryAfter: false }] }],
    ["1 requests had a JWT that was still remembered", { metAgain: 1 }],
    ["not as before within 5 s after the overload", { settledMs: 5250 }],
    ["not as before within 5 s after the overload", { settledMs: Number.NaN }],
  ])("%s", (problem, change) => {
    expect(problemsOf({ ...outcome, ...change })).toEqual([problem]);
  });
});
