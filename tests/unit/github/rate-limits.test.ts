import { describe, expect, test } from "bun:test";
import { RateLimits, type Urgency } from "../../../src/github/rate-limits.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const HOUR_SECONDS = 3600;

function world() {
  const clock = createFixedClock();
  const events: string[] = [];
  const open = () =>
    new RateLimits(clock, {
      limited: ({ kind, seconds }) => void events.push(`${kind} limit for ${seconds} s`),
      resumed: () => void events.push("resumed"),
      saving: (isSaving) => void events.push(isSaving ? "saving" : "not saving"),
    });
  const limits = open();
  const reply = (status: number, headers: Record<string, string> = {}, message = "") => ({
    status,
    headers: new Headers({ date: new Date(clock.nowMs()).toUTCString(), ...headers }),
    body: new TextEncoder().encode(JSON.stringify({ message })),
  });
  const quota = (remaining: number, limit = 5000, resetsInSeconds = HOUR_SECONDS) => ({
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": String(clock.nowMs() / 1000 + resetsInSeconds),
  });
  /** `now`, the wait in seconds until it was admitted, or the time after which to come back. */
  const admit = async (urgency: Urgency, one = limits): Promise<string> => {
    let outcome = "";
    const startedMs = clock.monotonicMs();
    one.admit(urgency).then(
      () => (outcome ||= clock.monotonicMs() === startedMs ? "now" : "later"),
      (error: unknown) => (outcome = `after ${error instanceof UpstreamFault ? error.details.retryAfterSeconds : ""}`),
    );
    await clock.advanceAndSettle(0);
    return outcome === "" ? "waits" : outcome;
  };
  return { clock, events, limits, open, reply, quota, admit };
}

describe("GitHub's secondary limit", () => {
  test.each<readonly [string, number, Record<string, string>, string, number]>([
    ["429 with a time", 429, { "retry-after": "17" }, "", 17],
    ["429 without one", 429, {}, "", 60],
    ["403 with a time", 403, { "retry-after": "9" }, "", 9],
    ["403 by its words", 403, {}, "You have exceeded a secondary rate limit", 60],
    ["one that asks for days", 429, { "retry-after": "999999" }, "", 3600],
    ["one that asks for no time", 429, { "retry-after": "0" }, "", 1],
  ])("%s holds back every call of the App for so long", async (_what, status, headers, message, seconds) => {
    const { clock, limits, reply, admit, events } = world();
    limits.note(reply(status, headers, message));
    for (const urgency of ["renewal", "cold", "hot"] as const) expect(await admit(urgency)).toBe(`after ${seconds}`);
    expect(limits.mayRenew()).toBe(false);
    expect(() => limits.assertOpen()).toThrow("GitHub said to stay away");
    clock.advance(seconds * 1000 - 1);
    expect(await admit("hot")).toBe("after 1");
    clock.advance(1);
    expect(await admit("hot")).toBe("now");
    expect(events).toEqual([`secondary limit for ${seconds} s`, "resumed"]);
  });

  test("is told once, however many replies say so", () => {
    const { limits, reply, events } = world();
    for (let count = 0; count < 5; count++) limits.note(reply(429, { "retry-after": "17" }));
    expect(events).toHaveLength(1);
  });

  test.each([200, 201, 401, 403, 404, 422, 500, 502, 503])("a plain %d is no limit", async (status) => {
    const { limits, reply, admit } = world();
    limits.note(reply(status));
    expect(await admit("renewal")).toBe("now");
  });
});

describe("GitHub's primary limit", () => {
  test("used up holds back every call until the reset, by GitHub's own clock", async () => {
    const { clock, limits, reply, quota, admit, events } = world();
    limits.note(reply(403, quota(0, 5000, 90)));
    expect(await admit("hot")).toBe("after 90");
    clock.advance(90_000);
    expect(await admit("hot")).toBe("now");
    expect(events).toContain("primary limit for 90 s");
  });

  test.each<readonly [Urgency, number]>([
    ["renewal", 0.25],
    ["cold", 0.05],
    ["hot", 0],
  ])("stops %s calls when %d of it is left, and lets them go on in the next hour", async (urgency, share) => {
    const { clock, limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(5000 * share + 1)));
    expect(await admit(urgency)).toBe("now");
    expect(await admit(urgency)).toBe(`after ${HOUR_SECONDS}`);
    clock.advance(HOUR_SECONDS * 1000);
    expect(await admit(urgency)).toBe("now");
  });

  test("stops renewals first and says so", () => {
    const { limits, reply, quota, events } = world();
    limits.note(reply(201, quota(1251, 5000, 60)));
    expect(limits.mayRenew()).toBe(true);
    limits.note(reply(201, quota(1250, 5000, 60)));
    expect(limits.mayRenew()).toBe(false);
    limits.note(reply(201, quota(1249, 5000, 60)));
    limits.note(reply(201, quota(4999)));
    expect(limits.mayRenew()).toBe(true);
    expect(events.filter((event) => event.includes("saving"))).toEqual(["saving", "not saving"]);
  });

  test("of one App holds back no other", async () => {
    const { limits, open, reply, quota, admit } = world();
    const other = open();
    limits.note(reply(403, quota(0)));
    limits.note(reply(429, { "retry-after": "60" }));
    expect(await admit("hot")).toMatch(/^after/);
    expect(await admit("renewal", other)).toBe("now");
  });

  test("of another resource is not counted", async () => {
    const { limits, reply, quota, admit } = world();
    limits.note(reply(201, { ...quota(0), "x-ratelimit-resource": "search" }));
    expect(await admit("renewal")).toBe("now");
  });

  test("whose reset lies years ahead holds back for an hour at most", async () => {
    const { clock, limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(0, 5000, 10 * 365 * 24 * HOUR_SECONDS)));
    expect(await admit("hot")).toBe(`after ${HOUR_SECONDS}`);
    clock.advance(HOUR_SECONDS * 1000);
    expect(await admit("hot")).toBe("now");
  });

  test("of no calls in an hour limits nothing", async () => {
    const { limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(0, 0)));
    expect(await admit("renewal")).toBe("now");
  });

  test("is not used up by calls that never came to GitHub", async () => {
    const { limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(100, 100)));
    for (let count = 0; count < 1000; count++) {
      expect(await admit("hot")).toBe("now");
      limits.ended(false);
    }
  });

  test("counts calls under way until GitHub has", async () => {
    const { limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(2, 100)));
    expect(await admit("hot")).toBe("now");
    expect(await admit("hot")).toBe("now");
    expect(await admit("hot")).toBe(`after ${HOUR_SECONDS}`);
    limits.note(reply(201, quota(1, 100)));
    limits.ended(true);
    limits.ended(false);
    expect(await admit("hot")).toBe("now");
  });

  test("that GitHub does not tell limits nothing", async () => {
    const { admit } = world();
    for (let count = 0; count < 500; count++) expect(await admit("cold")).toBe("now");
  });
});

describe("a flood of misses", () => {
  test("a quarter of what is left goes at once, the others evenly until the reset, and beyond three seconds they come back later", async () => {
    const { clock, limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(4000)));
    const outcomes: string[] = [];
    for (let count = 0; count < 2000; count++) outcomes.push(await admit("hot"));
    const counts = Object.fromEntries(
      Map.groupBy(outcomes, (one) => one.replace(/ .*/, ""))
        .entries()
        .map(([k, v]) => [k, v.length]),
    );
    expect(counts["now"]).toBeWithin(790, 1010);
    expect(counts["waits"]).toBeWithin(1, 5);
    expect(counts["after"]).toBeGreaterThan(900);
    let admitted = 0;
    for (let minutes = 0; minutes < 59; minutes++) {
      for (let seconds = 0; seconds < 60; seconds++) {
        await clock.advanceAndSettle(1000);
        for (let count = 0; count < 5; count++) if (!(await admit("hot")).startsWith("after")) admitted += 1;
      }
      limits.note(reply(201, quota(4000, 5000, HOUR_SECONDS - 60 * (minutes + 1))));
    }
    // Never more than there was.
    expect(1000 + admitted).toBeLessThanOrEqual(4000);
    expect(admitted).toBeGreaterThan(1500);
  });

  test("of new names leaves half of that to those who are known", async () => {
    const { limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(4000)));
    let cold = 0;
    while ((await admit("cold")) === "now") cold += 1;
    expect(cold).toBeWithin(450, 600);
    for (let count = 0; count < 200; count++) expect(await admit("hot")).toBe("now");
  });

  test("that is called off costs nothing", async () => {
    const { limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(4000)));
    for (let count = 0; count < 3000; count++) {
      expect(await admit("cold")).toBe("now");
      limits.ended(false);
    }
  });

  test("of twenty is no flood, however little is left", async () => {
    const { limits, reply, quota, admit } = world();
    limits.note(reply(201, quota(30, 60)));
    for (let count = 0; count < 20; count++) expect(await admit("hot")).toBe("now");
  });
});

test("renewals are two a second, after a burst of twenty", async () => {
  const { clock, limits } = world();
  let renewed = 0;
  for (let tenths = 0; tenths < 1000; tenths++) {
    clock.advance(100);
    if (!limits.mayRenew()) continue;
    await limits.admit("renewal");
    renewed += 1;
  }
  expect(renewed).toBeWithin(200, 222);
});
