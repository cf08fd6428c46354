import { describe, expect, test } from "bun:test";
import type { AwsCredentials } from "../../../src/aws/aws-credentials.ts";
import { createCredentialSource, type CredentialState } from "../../../src/aws/credentials.ts";
import { createFixedClock, type FixedClock } from "../../support/fixed-clock.ts";
import { rejection } from "../../support/rejection.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Harness {
  readonly clock: FixedClock;
  readonly states: CredentialState[];
  readonly loads: () => number;
  /** What the next loads do; the last one stays. */
  load: () => Promise<AwsCredentials>;
  readonly source: ReturnType<typeof createCredentialSource>;
}

describe("createCredentialSource()", () => {
  test("loads once for concurrent callers, and later callers are not kept waiting", async () => {
    const harness = start();
    using source = harness.source;
    const all = await Promise.all([source.current(), source.current(), source.current()]);
    expect(new Set(all).size).toBe(1);
    expect(await source.current()).toBe(all[0]);
    expect(harness.loads()).toBe(1);
    expect(harness.states).toEqual([]);
  });

  test("credentials without an expiry are loaded once and never again", async () => {
    const harness = start();
    using source = harness.source;
    harness.load = async () => ({ accessKeyId: "a", secretAccessKey: "s" });
    await source.current();
    await harness.clock.advanceAndSettle(100 * HOUR_MS);
    await source.current();
    expect([harness.loads(), harness.clock.pending()]).toEqual([1, 0]);
  });

  test("refreshes in the background a quarter of an hour ahead, without a caller", async () => {
    const harness = start();
    using source = harness.source;
    const first = await source.current();
    await harness.clock.advanceAndSettle(HOUR_MS - 15 * MINUTE_MS);
    expect(harness.loads()).toBe(2);
    expect(await source.current()).not.toBe(first);
  });

  test("a refresh under way keeps nobody waiting", async () => {
    const harness = start();
    using source = harness.source;
    const first = await source.current();
    harness.load = () => new Promise(() => undefined);
    // With this jitter: 45 minutes less a twentieth.
    await harness.clock.advanceAndSettle(42.75 * MINUTE_MS);
    expect(harness.loads()).toBe(2);
    expect(await source.current()).toBe(first);
  });

  // The guarantee of this module: the SDK alone lets calls fail while what it holds is still good.
  test("while every refresh fails, what is held is used to the very millisecond it expires, with one warning", async () => {
    const harness = start();
    using source = harness.source;
    const first = await source.current();
    harness.load = () => Promise.reject(new Error("status: 500"));
    for (let minute = 0; minute < 59; minute += 1) {
      await harness.clock.advanceAndSettle(MINUTE_MS);
      expect(await source.current()).toBe(first);
    }
    await harness.clock.advanceAndSettle(MINUTE_MS - 1);
    expect(await source.current()).toBe(first);
    expect(harness.states.map(({ kind }) => kind)).toEqual(["stale"]);
    expect(harness.states[0]).toMatchObject({ validUntilEpochMs: first.expiration!.getTime() });

    await harness.clock.advanceAndSettle(1);
    const failing = rejection(source.current());
    await harness.clock.advanceAndSettle(MINUTE_MS);
    expect(await failing).toMatchObject({
      code: "upstream-unavailable",
      message: "aws-credentials: load AWS credentials: status 500",
    });
    expect(harness.states.map(({ kind }) => kind)).toEqual(["stale", "missing"]);
  });

  test("comes back by itself when the endpoint does, and says so once", async () => {
    const harness = start();
    using source = harness.source;
    const first = await source.current();
    const works = harness.load;
    harness.load = () => Promise.reject(new Error("down"));
    await harness.clock.advanceAndSettle(2 * HOUR_MS);
    harness.load = works;
    await harness.clock.advanceAndSettle(35_000);
    expect(harness.states.map(({ kind }) => kind)).toEqual(["stale", "missing", "working"]);
    expect(await source.current()).not.toBe(first);
    await harness.clock.advanceAndSettle(10 * HOUR_MS);
    expect(harness.states).toHaveLength(3);
  });

  test("a failing endpoint is asked at most every half minute or so", async () => {
    const harness = start();
    using source = harness.source;
    await source.current();
    harness.load = () => Promise.reject(new Error("down"));
    await harness.clock.advanceAndSettle(HOUR_MS - 10 * MINUTE_MS);
    const before = harness.loads();
    await harness.clock.advanceAndSettle(10 * MINUTE_MS - 1);
    const asked = harness.loads() - before;
    // Three loads a refresh, a refresh every 15 to 30 seconds.
    expect(asked).toBeGreaterThanOrEqual(3 * 15);
    expect(asked).toBeLessThanOrEqual(3 * 45);
  });

  test("callers wait through a hiccup at the start", async () => {
    const harness = start();
    using source = harness.source;
    const works = harness.load;
    harness.load = () => {
      harness.load = works;
      return Promise.reject(new Error("hiccup"));
    };
    const waiting = source.current();
    await harness.clock.advanceAndSettle(1000);
    expect((await waiting).accessKeyId).toBe("AK2");
    expect(harness.states).toEqual([]);
  });

  test("an endpoint that hangs is given up after 4 seconds, and a later load does not wait for it", async () => {
    const harness = start();
    using source = harness.source;
    const works = harness.load;
    harness.load = () => {
      harness.load = works;
      return new Promise(() => undefined);
    };
    const waiting = source.current();
    await harness.clock.advanceAndSettle(3999);
    expect(harness.loads()).toBe(1);
    await harness.clock.advanceAndSettle(1000);
    expect((await waiting).accessKeyId).toBe("AK2");
  });

  test("a failure stands for a second for all callers, then it is tried again", async () => {
    const harness = start();
    using source = harness.source;
    harness.load = () => Promise.reject(new Error("down"));
    const fail = async (): Promise<unknown> => {
      const failing = source.current().catch((error: unknown) => error);
      await harness.clock.advanceAndSettle(600);
      return failing;
    };
    const first = await fail();
    const second = source.current().catch((error: unknown) => error);
    expect(await second).toBe(first);
    expect(harness.loads()).toBe(3);
  });

  test.each([
    ["expired", { accessKeyId: "a", secretAccessKey: "s", expiration: new Date(0) }, "they have expired"],
    ["dated nonsense", { accessKeyId: "a", secretAccessKey: "s", expiration: new Date(NaN) }, "they have expired"],
    ["without a key id", { accessKeyId: "", secretAccessKey: "s" }, "they are incomplete"],
    ["without a secret", { accessKeyId: "a", secretAccessKey: "" }, "they are incomplete"],
  ])("credentials that are %s count as a failure, and do not replace what is held", async (_, bad, reason) => {
    const harness = start();
    using source = harness.source;
    const first = await source.current();
    harness.load = async () => bad;
    await harness.clock.advanceAndSettle(HOUR_MS - MINUTE_MS);
    expect(await source.current()).toBe(first);
    expect(harness.states).toMatchObject([
      { kind: "stale", fault: { message: `aws-credentials: load AWS credentials: ${reason}` } },
    ]);
  });

  test("an endpoint that keeps giving out the same credentials is not asked in a tight loop", async () => {
    const harness = start();
    using source = harness.source;
    const only = await source.current();
    harness.load = async () => only;
    await harness.clock.advanceAndSettle(HOUR_MS - 1);
    expect(await source.current()).toBe(only);
    expect(harness.loads()).toBeLessThan(25);
  });

  test("a wall clock that jumps past the expiry has callers wait for new ones", async () => {
    const harness = start();
    using source = harness.source;
    const first = await source.current();
    harness.clock.setWall(harness.clock.nowMs() + 2 * HOUR_MS);
    expect(await source.current()).not.toBe(first);
  });

  test("what an endpoint said is never repeated", async () => {
    const harness = start();
    using source = harness.source;
    harness.load = () => Promise.reject(new SyntaxError('JSON Parse error: Unexpected identifier "canary"'));
    const failing = source.current().catch((error: unknown) => error);
    await harness.clock.advanceAndSettle(1000);
    expect(Bun.inspect(await failing)).not.toContain("canary");
    expect(await failing).toMatchObject({ message: "aws-credentials: load AWS credentials: SyntaxError" });
  });

  test("once disposed of, nothing is asked any more", async () => {
    const harness = start();
    await harness.source.current();
    harness.source[Symbol.dispose]();
    await harness.clock.advanceAndSettle(10 * HOUR_MS);
    expect([harness.loads(), harness.clock.pending()]).toEqual([1, 0]);
  });

  test("disposed of between two loads, it ends with the first one's failure", async () => {
    const harness = start();
    harness.load = () => Promise.reject(new Error("down"));
    const failing = rejection(harness.source.current());
    await harness.clock.advanceAndSettle(0);
    harness.source[Symbol.dispose]();
    await harness.clock.advanceAndSettle(HOUR_MS);
    expect((await failing).code).toBe("upstream-unavailable");
    expect([harness.loads(), harness.clock.pending()]).toEqual([1, 0]);
  });
});

function start(): Harness {
  const clock = createFixedClock();
  const states: CredentialState[] = [];
  let loads = 0;
  const harness: Harness = {
    clock,
    states,
    loads: () => loads,
    load: async () => ({
      accessKeyId: `AK${loads}`,
      secretAccessKey: "secret",
      sessionToken: "token",
      expiration: new Date(clock.nowMs() + HOUR_MS),
    }),
    source: createCredentialSource({
      load: () => {
        loads += 1;
        return harness.load();
      },
      clock,
      random: () => 0.5,
      observe: (state) => states.push(state),
    }),
  };
  return harness;
}
