import { describe, expect, test } from "bun:test";
import { createInstanceWith, Outage, thingCodec, type Thing } from "../../support/cache-instance.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { createMemoryEntryStore } from "../../support/memory-entry-store.ts";
import { rejection } from "../../support/rejection.ts";

/** Two instances with one store; what was made before `purgedBefore` is purged, and `names` says of what. */
function world() {
  const clock = createFixedClock();
  const store = createMemoryEntryStore(clock);
  const state = { purgedBefore: 0, names: /./ };
  const found: string[] = [];
  const purges = {
    isPurged: (text: string, { expiresAtEpochSeconds }: Thing) =>
      state.names.test(text) && expiresAtEpochSeconds - 3600 < state.purgedBefore,
    found: (text: string) => void found.push(text),
  };
  const [first, second] = [createInstanceWith(clock, { store, purges }), createInstanceWith(clock, { store, purges })];
  const purge = (names = /./): number => {
    state.purgedBefore = clock.nowMs() / 1000 + 1;
    state.names = names;
    return first.cache.purge() + second.cache.purge();
  };
  const thing = (name: string): Thing => ({ name, expiresAtEpochSeconds: clock.nowMs() / 1000 + 3600 });
  return { clock, store, first, second, found, purge, thing };
}

describe("what has been taken back", () => {
  test("is gone from every memory at once, and each value is told; the rest stays", async () => {
    const { first, second, found, purge } = world();
    for (const name of ["a", "b"]) await first.loadNow(name);
    await second.loadNow("a");
    expect(purge(/a/)).toBe(2);
    expect(found).toEqual(["a", "a"]);
    expect(first.peek("a")).toBeUndefined();
    expect(second.peek("a")).toBeUndefined();
    expect(first.peek("b")).toBeDefined();
  });

  test("is gone from the memory of caller-varied keys too", async () => {
    const { clock, first, purge, thing } = world();
    const varied = { text: "v", callerVaried: true };
    const loading = first.cache.load(varied, {
      codec: thingCodec("v"),
      fetch: () => Promise.resolve({ kind: "value", value: thing("v") }),
    });
    await clock.advanceAndSettle(0);
    await loading;
    expect(purge()).toBe(1);
    expect(first.cache.peek(varied, "v", () => undefined)).toBeUndefined();
  });

  test("is a miss in the store, also when somebody puts it back; a new value takes its place", async () => {
    const { clock, store, first, second, found, purge } = world();
    await first.loadNow("a");
    const old = store.text("a") ?? "";
    purge();
    clock.advance(2_000);
    expect(await first.loadNow("a")).toMatchObject({ source: "fetched" });
    expect(first.unused).toEqual(["purged"]);
    expect(store.text("a")).not.toBe(old);
    store.put("a", old);
    expect(await second.loadNow("a")).toMatchObject({ source: "fetched" });
    expect(second.unused).toEqual(["purged"]);
    expect(new Set(found)).toEqual(new Set(["a"]));
  });

  test("does not serve on while nobody can be asked", async () => {
    const { first, purge } = world();
    await first.loadNow("a");
    purge();
    expect(await rejection(first.loadNow("a", () => Promise.reject(new Outage())))).toBeInstanceOf(Outage);
  });
});

describe("a call that is under way when something is taken back", () => {
  test("brings those who wait another value than the purged one, and loses none of them", async () => {
    const { clock, store, first, found, purge, thing } = world();
    const gate = Promise.withResolvers<void>();
    const old = thing("a");
    const fetch = async () => {
      if (first.fetches > 1) return { kind: "value", value: thing("a") } as const;
      await gate.promise;
      return { kind: "value", value: old } as const;
    };
    const waiting = [first.load("a", fetch), first.load("a", fetch)];
    await clock.advanceAndSettle(0);
    purge();
    clock.advance(2_000);
    gate.resolve();
    await clock.advanceAndSettle(0);
    for (const loaded of await Promise.all(waiting)) expect(loaded).toMatchObject({ value: thing("a") });
    expect({ fetches: first.fetches, found }).toEqual({ fetches: 2, found: ["a"] });
    expect(first.peek("a")).toBeUndefined();
    expect(store.text("a")).toBeUndefined();
  });

  test("hands out what is not purged, once fetched", async () => {
    const { clock, first, purge, thing } = world();
    const gate = Promise.withResolvers<void>();
    const waiting = first.load("b", async () => {
      await gate.promise;
      return { kind: "value", value: thing("b") };
    });
    await clock.advanceAndSettle(0);
    purge(/a/);
    gate.resolve();
    await clock.advanceAndSettle(0);
    expect(await waiting).toMatchObject({ source: "fetched" });
    expect(first.fetches).toBe(1);
  });
});

// Clocks differ, and tokens are dated in whole seconds.
test("a value that is made after a purge and dated before it serves whoever waits, and is kept nowhere", async () => {
  const { clock, store, first, found, purge } = world();
  purge();
  expect(await first.loadNow("a")).toMatchObject({ source: "fetched" });
  expect(first.peek("a")).toBeUndefined();
  expect(store.text("a")).toBeUndefined();
  clock.advance(1_000);
  await first.loadNow("a");
  expect(first.peek("a")).toBeDefined();
  expect({ fetches: first.fetches, found }).toEqual({ fetches: 2, found: [] });
});
