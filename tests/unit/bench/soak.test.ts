import { describe, expect, test } from "bun:test";
import { FaultPlan, type Fault } from "../../../bench/soak/faults.ts";
import { Figures } from "../../../bench/soak/figures.ts";
import { judge, type Ask } from "../../../bench/soak/load.ts";

const held: Ask = { path: "/token", jwt: "", expected: 200, isHeld: true };
const cold: Ask = { ...held, isHeld: false };
const refused: Ask = { ...held, expected: 403 };
const unknownKey: Ask = { ...held, expected: 401, hasUnknownKey: true };
const later = { status: 503, retryAfter: "5" };
const flat = { status: 503, retryAfter: null };

function fault(kind: Fault["kind"], hidesKeys = false): Fault {
  return { name: kind, kind, hidesKeys, begin: () => undefined, end: () => undefined };
}
const on = (one: Fault) => [{ fault: one, endedMs: 0 }];

describe("a reply of the soak", () => {
  test.each([
    ["what was expected", held, { status: 200, retryAfter: null }, []],
    ["503 with Retry-After for what has to be asked for, in an outage", cold, later, on(fault("outage"))],
    ["the same, a moment after it", cold, later, [{ fault: fault("outage"), endedMs: 7_000 }]],
    ["403 where an upstream refuses", held, { status: 403, retryAfter: null }, on(fault("refusal"))],
    ["503 for a key that nobody knows, without the issuer", unknownKey, later, on(fault("outage", true))],
  ])("is right: %s", (_name, ask, reply, troubles) => {
    expect(judge(ask, reply, troubles)).toBeUndefined();
  });

  test.each([
    ["503 while all is well", cold, later, []],
    ["503 for a token that is held, in an outage", held, later, on(fault("outage"))],
    ["503 without Retry-After", cold, flat, on(fault("outage"))],
    ["503 long after an outage", cold, later, [{ fault: fault("outage"), endedMs: 9_000 }]],
    ["503 because of Valkey", cold, later, on(fault("harmless"))],
    ["403 in an outage", cold, { status: 403, retryAfter: null }, on(fault("outage"))],
    ["a token for who is refused, whatever is wrong", refused, { status: 200, retryAfter: null }, on(fault("refusal"))],
    ["a token for an unknown key", unknownKey, { status: 200, retryAfter: null }, on(fault("outage", true))],
    ["503 for an unknown key while the issuer answers", unknownKey, later, on(fault("outage"))],
  ])("is a failure: %s", (_name, ask, reply, troubles) => {
    expect(judge(ask, reply, troubles)).toBeString();
  });
});

describe("the soak", () => {
  test("tells which faults there are, and which there were", async () => {
    const [outage, refusal] = [fault("outage"), fault("refusal")];
    let during: readonly string[] = [];
    const look = (): void => {
      during = plan.lately(1_000).map(({ fault: { name }, endedMs }) => `${name} ${endedMs === 0 ? "now" : "over"}`);
    };
    const plan = new FaultPlan([outage, { ...refusal, begin: look, end: look }]);
    await plan.run(performance.now() + 50, { faultMs: 0, pauseMs: 0 });
    expect([...plan.happened.keys()]).toContain("outage");
    expect(during.every((one) => one === "outage over" || one === "refusal over" || one === "refusal now")).toBeTrue();
    expect(plan.lately(1_000).length).toBeGreaterThan(0);
    expect(plan.lately(0)).toEqual([]);
  });

  test("tells the growth of memory a minute, and nothing from too few looks", () => {
    const figures = new Figures();
    expect(figures.slopes(0)).toBeUndefined();
    for (let minute = 0; minute < 40; minute++)
      figures.samples.push({
        minute,
        rssMiB: [80 + 0.5 * minute, 80 + (minute % 2)],
        descriptors: [1, 1],
        requests: 0,
        p50Ms: 0,
        p99Ms: 0,
      });
    const [growing = 0, level = 1] = figures.slopes(5) ?? [];
    expect(growing).toBeCloseTo(0.5, 6);
    expect(Math.abs(level)).toBeLessThan(0.01);
  });
});
