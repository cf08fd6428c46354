import { describe, expect, test } from "bun:test";
import { claimName } from "../../../src/cache/turn.ts";
import { createInstance, Outage, type Thing } from "../../support/cache-instance.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { createMemoryEntryStore } from "../../support/memory-entry-store.ts";

function fleet(size: number, fetchMs = 300) {
  const clock = createFixedClock();
  const store = createMemoryEntryStore(clock);
  const instances = Array.from({ length: size }, () => createInstance(clock, store));
  const slowly = async () => {
    await new Promise<void>((resolve) => void clock.after(fetchMs, resolve));
    const value: Thing = { name: "a", expiresAtEpochSeconds: clock.nowMs() / 1000 + 3600 };
    return { kind: "value", value } as const;
  };
  const fetches = () => instances.reduce((sum, { fetches: one }) => sum + one, 0);
  const at = (index: number) => {
    const instance = instances[index];
    if (instance === undefined) throw new Error("no such instance");
    return instance;
  };
  return { clock, store, instances, at, slowly, fetches };
}

describe("instances that miss the same key at once", () => {
  test("ask once among them, and all get the result", async () => {
    const { clock, instances, slowly, fetches } = fleet(5);
    const waiting = instances.flatMap((instance) => Array.from({ length: 40 }, () => instance.load("a", slowly)));
    await clock.advanceAndSettle(2_000);
    const results = await Promise.all(waiting);
    expect(fetches()).toBe(1);
    expect(results.map((one) => one.kind)).toEqual(Array.from({ length: 200 }, () => "value"));
    expect(Map.groupBy(results, (one) => (one.kind === "value" ? one.source : "")).get("fetched")).toHaveLength(40);
  });

  test("leave no claim behind", async () => {
    const { clock, instances, store, slowly } = fleet(3);
    const waiting = instances.map((instance) => instance.load("a", slowly));
    await clock.advanceAndSettle(2_000);
    await Promise.all(waiting);
    expect([...store.values.keys()]).toEqual(["a"]);
  });

  test("take each other's place when the one that asks fails", async () => {
    const { clock, at, slowly, fetches } = fleet(2);
    const failed = at(0)
      .load("a", async () => {
        await slowly();
        throw new Outage();
      })
      .catch((error: unknown) => error);
    await clock.advanceAndSettle(10);
    const waiting = at(1).load("a", slowly);
    await clock.advanceAndSettle(1_000);
    expect(await failed).toBeInstanceOf(Outage);
    expect(await waiting).toMatchObject({ source: "fetched" });
    expect(fetches()).toBe(2);
  });

  test("wait two seconds at most, then ask anyway", async () => {
    const { clock, at, store, slowly } = fleet(1);
    store.put(claimName("a"), "somebody who died", 5_000);
    const startedMs = clock.monotonicMs();
    let askedAfterMs = 0;
    const waiting = at(0).load("a", () => {
      askedAfterMs = clock.monotonicMs() - startedMs;
      return slowly();
    });
    await clock.advanceAndSettle(4_000);
    expect(await waiting).toMatchObject({ source: "fetched" });
    expect(askedAfterMs).toBe(2_000);
    expect(store.text(claimName("a"))).toBe("somebody who died");
  });

  test("do not wait when the store goes away meanwhile", async () => {
    const { clock, at, store, slowly } = fleet(1, 0);
    store.put(claimName("a"), "somebody", 5_000);
    const waiting = at(0).load("a", slowly);
    await clock.advanceAndSettle(10);
    store.down = true;
    await clock.advanceAndSettle(500);
    expect(await waiting).toMatchObject({ source: "fetched" });
  });

  test("see what was stored between their look and their claim", async () => {
    const { clock, at, store, fetches } = fleet(1);
    const claim = store.claim.bind(store);
    store.claim = (...args) => {
      store.put("a", JSON.stringify({ name: "a", expiresAtEpochSeconds: clock.nowMs() / 1000 + 3600 }), 60_000);
      return claim(...args);
    };
    expect(await at(0).loadNow("a")).toMatchObject({ source: "valkey" });
    expect(fetches()).toBe(0);
    await clock.advanceAndSettle(0);
    expect([...store.values.keys()]).toEqual(["a"]);
  });
});
