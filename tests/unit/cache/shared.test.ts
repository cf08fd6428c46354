import { describe, expect, test } from "bun:test";
import { createMemoryEntryStore } from "../../support/memory-entry-store.ts";
import { rejection } from "../../support/rejection.ts";
import { createInstance, key, LOCAL_TTL_MS, Outage, TTL_MS, type Thing } from "../../support/cache-instance.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

function world(instances = 2) {
  const clock = createFixedClock();
  const store = createMemoryEntryStore(clock);
  const [first, second] = Array.from({ length: instances }, () => createInstance(clock, store));
  if (first === undefined || second === undefined) throw new Error("two at least");
  const thing = (name: string): Thing => ({ name, expiresAtEpochSeconds: clock.nowMs() / 1000 + 3600 });
  const put = (name: string, ttlMs?: number) => store.put(name, JSON.stringify(thing(name)), ttlMs);
  return { clock, store, first, second, put, thing };
}

const outage = () => Promise.reject(new Outage());
const fault = () => Promise.reject(new Error("refused"));
const answer = () => Promise.resolve({ kind: "answer", answer: "no", isDefinitive: true } as const);

describe("an entry that instances share", () => {
  test("is made by one and served by the others, then from their own memory", async () => {
    const { first, second } = world();
    expect(await first.loadNow("a")).toMatchObject({ source: "fetched" });
    expect(await second.loadNow("a")).toMatchObject({ source: "valkey" });
    expect(second.peek("a")).toMatchObject({ name: "a" });
    expect(await second.loadNow("a")).toMatchObject({ source: "memory" });
    expect([first.fetches, second.fetches]).toEqual([1, 0]);
  });

  test("is stored for the time to live in whole seconds, and less when it ends earlier", async () => {
    const { clock, store, first } = world();
    const soon = { name: "b", expiresAtEpochSeconds: clock.nowMs() / 1000 + 1000 };
    await first.loadNow("a");
    await first.loadNow("b", () => Promise.resolve({ kind: "value", value: soon }));
    expect(store.commands.filter((command) => command.startsWith("write"))).toEqual(["write a 2700", "write b 700"]);
  });

  test("is not stored when it ends within five minutes", async () => {
    const { clock, store, first } = world();
    const soon = { name: "a", expiresAtEpochSeconds: clock.nowMs() / 1000 + 300 };
    await first.loadNow("a", () => Promise.resolve({ kind: "value", value: soon }));
    expect(store.values.size).toBe(0);
  });

  test.each([
    ["five minutes", undefined, LOCAL_TTL_MS],
    ["five minutes, however long it lives", 24 * 3_600_000, LOCAL_TTL_MS],
    ["its own time to live when that is shorter", 60_000, 60_000],
  ])("is used from memory for %s", async (_what, ttlMs, usedMs) => {
    const { clock, put, first, store } = world();
    put("a", ttlMs);
    await first.loadNow("a");
    clock.advance(usedMs - 1);
    expect(first.peek("a")).toBeDefined();
    clock.advance(1);
    expect(first.peek("a")).toBeUndefined();
    await first.loadNow("a");
    expect(store.commands.filter((command) => command === "read a").length).toBeGreaterThan(1);
  });

  test("that was made here is read again within five minutes: a deletion does not go unseen", async () => {
    const { clock, first, store } = world();
    await first.loadNow("a");
    clock.advance(LOCAL_TTL_MS);
    expect(await first.loadNow("a")).toMatchObject({ source: "valkey" });
    store.delete("a");
    clock.advance(LOCAL_TTL_MS);
    expect(await first.loadNow("a")).toMatchObject({ source: "fetched" });
  });

  test.each([
    ["never expires", undefined],
    ["expires later than ours would", 24 * 3_600_000],
  ])("that %s ends when ours would", async (_what, ttlMs) => {
    const { clock, store, first, put } = world();
    put("a", ttlMs);
    await first.loadNow("a");
    store.down = true;
    for (let passedMs = 0; passedMs < TTL_MS - LOCAL_TTL_MS; passedMs += LOCAL_TTL_MS) {
      clock.advance(LOCAL_TTL_MS);
      expect(await first.loadNow("a", outage)).toMatchObject({ source: "memory" });
    }
    clock.advance(LOCAL_TTL_MS);
    expect(await rejection(first.loadNow("a", outage))).toBeInstanceOf(Outage);
  });
});

describe("a value that is due to be read again", () => {
  test.each([
    ["the store does not answer", true],
    ["the store holds nothing", false],
  ])("serves on when %s and no new one can be had", async (_what, down) => {
    const { clock, store, first } = world();
    await first.loadNow("a");
    clock.advance(LOCAL_TTL_MS);
    if (down) store.down = true;
    else store.delete("a");
    expect(await first.loadNow("a", outage)).toMatchObject({ kind: "value", source: "memory" });
    expect(await first.loadNow("a", outage)).toMatchObject({ source: "memory" });
    expect(first.fetches).toBe(2);
    clock.advance(10_000);
    await first.loadNow("a", outage);
    expect(first.fetches).toBe(3);
  });

  test("does not serve beyond its time to live", async () => {
    const { clock, store, first } = world();
    await first.loadNow("a");
    store.delete("a");
    clock.advance(TTL_MS);
    expect(await rejection(first.loadNow("a", outage))).toBeInstanceOf(Outage);
  });

  test("is replaced when the store has none and a new one can be had", async () => {
    const { clock, store, first, second } = world();
    await first.loadNow("a");
    store.down = true;
    clock.advance(LOCAL_TTL_MS);
    expect(await first.loadNow("a")).toMatchObject({ source: "fetched" });
    store.down = false;
    store.delete("a");
    clock.advance(LOCAL_TTL_MS);
    expect(await first.loadNow("a")).toMatchObject({ source: "fetched" });
    expect(await second.loadNow("a")).toMatchObject({ source: "valkey" });
  });

  test("is gone everywhere when it is refused", async () => {
    const { clock, store, first } = world();
    await first.loadNow("a");
    store.delete("a");
    clock.advance(LOCAL_TTL_MS);
    expect(await first.loadNow("a", answer)).toEqual({ kind: "answer", answer: "no" });
    expect(store.commands).toContain("remove a");
    clock.advance(30_000);
    expect(await rejection(first.loadNow("a", outage))).toBeInstanceOf(Outage);
  });

  test("does not serve on after a failure that is no outage", async () => {
    const { clock, store, first } = world();
    await first.loadNow("a");
    store.delete("a");
    clock.advance(LOCAL_TTL_MS);
    expect(await rejection(first.loadNow("a", fault))).toHaveProperty("message", "refused");
    expect(await rejection(first.loadNow("a", outage))).toBeInstanceOf(Outage);
  });
});

describe("dropping", () => {
  test("removes a value here at once and in the store when it resolves", async () => {
    const { store, first } = world();
    await first.loadNow("a");
    const dropped = first.cache.drop(key("a"));
    expect(first.peek("a")).toBeUndefined();
    await dropped;
    expect(store.text("a")).toBeUndefined();
  });

  test("never rejects, also when the store is gone", async () => {
    const { store, first } = world();
    await first.loadNow("a");
    store.down = true;
    await first.cache.drop(key("a"));
    expect(first.peek("a")).toBeUndefined();
  });

  // Otherwise what was dropped would come back with the answer to an older question.
  test("a fetch that was under way is handed out to those who waited, and kept nowhere", async () => {
    const { clock, store, first, thing } = world();
    const gate = Promise.withResolvers<void>();
    const waiting = first.load("a", async () => {
      await gate.promise;
      return { kind: "value", value: thing("a") };
    });
    await clock.advanceAndSettle(0);
    await first.cache.drop(key("a"));
    gate.resolve();
    expect(await waiting).toMatchObject({ source: "fetched" });
    await clock.advanceAndSettle(0);
    expect(first.peek("a")).toBeUndefined();
    expect(store.text("a")).toBeUndefined();
  });
});

describe("a store that is slow or gone", () => {
  test("costs a request no more than 250 ms in all", async () => {
    const { clock, store, first } = world();
    store.latencyMs = 120;
    const startedMs = clock.monotonicMs();
    let tookMs = Infinity;
    const loading = first.load("a").then((loaded) => {
      tookMs = clock.monotonicMs() - startedMs;
      return loaded;
    });
    await clock.advanceAndSettle(5_000);
    expect(await loading).toMatchObject({ source: "fetched" });
    expect(tookMs).toBeLessThanOrEqual(250);
  });

  test("fails no request and is asked for no claim", async () => {
    const { store, first } = world();
    store.down = true;
    expect(await first.loadNow("a")).toMatchObject({ source: "fetched" });
    expect(await first.loadNow("a")).toMatchObject({ source: "memory" });
    expect(store.commands.filter((command) => command.startsWith("claim"))).toEqual([]);
  });

  test("every outcome is reported", async () => {
    const { store, first } = world();
    await first.loadNow("a");
    await first.cache.drop(key("a"));
    store.down = true;
    await first.loadNow("b");
    await first.loadNow("b");
    const seen = first.operations.map(({ level, operation, status }) => `${level} ${operation} ${status}`);
    expect(seen).toEqual([
      "memory get miss",
      "valkey get miss",
      "valkey get miss",
      "memory set success",
      "valkey set success",
      "memory invalidate success",
      "valkey invalidate success",
      "memory get miss",
      "valkey get error",
      "memory set success",
      "valkey set error",
      "memory get hit",
    ]);
  });
});
