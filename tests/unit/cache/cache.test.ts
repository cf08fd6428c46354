import { describe, expect, test } from "bun:test";
import { createCache } from "../../../src/cache/create-cache.ts";
import type { CacheKey, Fetched } from "../../../src/cache/cache.ts";
import type { Clock } from "../../../src/lib/clock.ts";

interface Value {
  readonly name: string;
  readonly expiresAtEpochSeconds: number;
}

/** Memory keeps values as they are. */
const NO_CODEC = {
  encode: () => {
    throw new Error("nothing is encoded");
  },
  decode: () => {
    throw new Error("nothing is decoded");
  },
};

function world(capacity = 3) {
  let wallMs = 1_000_000_000_000;
  let monotonicMs = 5_000;
  const clock: Clock = { nowMs: () => wallMs, monotonicMs: () => monotonicMs, after: () => () => undefined };
  const cache = createCache<Value, string>({
    ttlMs: 45 * 60_000,
    maxStaleMs: 0,
    random: () => 0,
    capacity,
    callerVariedCapacity: 2,
    clock,
    observer: { operated: () => undefined, ciphered: () => undefined, unused: () => undefined },
    isOutage: () => true,
  });
  const load = (at: CacheKey, fetch: () => Promise<Fetched<Value, string>>) =>
    cache.load(at, { fetch, codec: NO_CODEC });
  const value = (name: string, lifeSeconds = 3600): Value => ({
    name,
    expiresAtEpochSeconds: wallMs / 1000 + lifeSeconds,
  });
  const put = (name: string, callerVaried = false) =>
    load({ text: name, callerVaried }, () => Promise.resolve({ kind: "value", value: value(name) }));
  return {
    cache,
    load,
    value,
    put,
    has: (name: string, callerVaried = false) =>
      cache.peek({ text: name, callerVaried }, undefined, () => undefined) !== undefined,
    pass: (ms: number) => {
      wallMs += ms;
      monotonicMs += ms;
    },
    setWallClock: (ms: number) => (wallMs += ms),
  };
}
const key = (text: string) => ({ text, callerVaried: false });

describe("the memory cache", () => {
  test("serves a value until its time to live is over", async () => {
    const { put, has, pass } = world();
    await put("a");
    pass(45 * 60_000 - 1);
    expect(has("a")).toBe(true);
    pass(1);
    expect(has("a")).toBe(false);
  });

  test("never serves a value into the last five minutes of its own life", async () => {
    const { load, value, has, pass } = world();
    await load(key("a"), () => Promise.resolve({ kind: "value", value: value("a", 600) }));
    pass(5 * 60_000 - 1);
    expect(has("a")).toBe(true);
    pass(1);
    expect(has("a")).toBe(false);
  });

  test("a wall clock that is set back does not lengthen a value's life", async () => {
    const { put, has, pass, setWallClock } = world();
    await put("a");
    setWallClock(-60 * 60_000);
    pass(45 * 60_000);
    expect(has("a")).toBe(false);
  });

  test("the least recently used goes first", async () => {
    const { put, has } = world();
    for (const name of ["a", "b", "c"]) await put(name);
    has("a");
    await put("d");
    expect(["a", "b", "c", "d"].map((name) => has(name))).toEqual([true, false, true, true]);
  });

  test("a flood of names that callers chose pushes out nobody else", async () => {
    const { put, has } = world();
    await put("a");
    for (let count = 0; count < 50; count++) await put(`flood-${count}`, true);
    expect(has("a")).toBe(true);
    expect(has("flood-49", true)).toBe(true);
    expect(has("flood-0", true)).toBe(false);
  });

  test("concurrent misses for a key are one call, shared by all", async () => {
    const { load, value } = world();
    let calls = 0;
    const gate = Promise.withResolvers<void>();
    const fetch = async () => {
      calls += 1;
      await gate.promise;
      return { kind: "value", value: value("a") } as const;
    };
    const waiting = Array.from({ length: 40 }, () => load(key("a"), fetch));
    gate.resolve();
    const results = await Promise.all(waiting);
    expect(calls).toBe(1);
    expect(new Set(results).size).toBe(1);
    expect(await load(key("a"), fetch)).toMatchObject({ kind: "value", source: "memory" });
  });

  test("a failure is shared by those who waited, and not kept", async () => {
    const { load, value } = world();
    const failing = () => Promise.reject(new Error("down"));
    const both = await Promise.allSettled([load(key("a"), failing), load(key("a"), failing)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const later = await load(key("a"), () => Promise.resolve({ kind: "value", value: value("a") }));
    expect(later.kind).toBe("value");
  });

  test("an answer that is no value is handed on and not kept", async () => {
    const { load, has } = world();
    expect(await load(key("a"), () => Promise.resolve({ kind: "answer", answer: "no", isDefinitive: false }))).toEqual({
      kind: "answer",
      answer: "no",
    });
    expect(has("a")).toBe(false);
  });

  test.each([
    ["an answer is asked for anew each time", false, 2],
    ["a definitive refusal stands", true, 1],
  ])("%s", async (_what, isDefinitive, expected) => {
    const { load } = world();
    let asked = 0;
    const fetch = () => {
      asked += 1;
      return Promise.resolve({ kind: "answer", answer: "no", isDefinitive } as const);
    };
    await load(key("a"), fetch);
    expect(await load(key("a"), fetch)).toEqual({ kind: "answer", answer: "no" });
    expect(asked).toBe(expected);
  });

  test("a definitive refusal stands for its own key alone, and for 30 seconds", async () => {
    const { load, put, pass, has } = world();
    const refuse = () => Promise.resolve({ kind: "answer", answer: "no", isDefinitive: true } as const);
    await load(key("a"), refuse);
    await put("b");
    expect(has("b")).toBe(true);
    pass(29_999);
    expect(await put("a")).toEqual({ kind: "answer", answer: "no" });
    pass(1);
    await put("a");
    expect(has("a")).toBe(true);
  });

  test("of definitive refusals the oldest is forgotten after 1,000 others", async () => {
    const { load, put, has } = world();
    const refuse = () => Promise.resolve({ kind: "answer", answer: "no", isDefinitive: true } as const);
    for (let index = 0; index <= 1000; index++) await load(key(`k${index}`), refuse);
    await put("k0");
    await put("k1");
    expect([has("k0"), has("k1")]).toEqual([true, false]);
  });

  test("a dropped value is gone", async () => {
    const { cache, put, has } = world();
    await put("a");
    await cache.drop(key("a"));
    expect(has("a")).toBe(false);
  });
});
