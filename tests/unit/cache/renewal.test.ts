import { describe, expect, test } from "bun:test";
import { createMemoryEntryStore } from "../../support/memory-entry-store.ts";
import { rejection } from "../../support/rejection.ts";
import { createInstanceWith, LOCAL_TTL_MS, Outage, TTL_MS, type Instance } from "../../support/cache-instance.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const MINUTE_MS = 60_000;
const HALF_LIFE_MS = TTL_MS / 2;
/** The longest pause between two tries to renew a value. */
const RETRY_MS = 4_000;

function world({ maxStaleMs = 55 * MINUTE_MS, capacity = 10 } = {}) {
  const clock = createFixedClock();
  const instance = createInstanceWith(clock, { maxStaleMs, capacity });
  return { clock, ...instance, instance };
}

function fleet() {
  const clock = createFixedClock();
  const store = createMemoryEntryStore(clock);
  const options = { store, maxStaleMs: 55 * MINUTE_MS };
  return { clock, store, first: createInstanceWith(clock, options), second: createInstanceWith(clock, options) };
}

const outage = () => Promise.reject(new Outage());
const hang = () => new Promise<never>(() => undefined);
const refuse = () => Promise.resolve({ kind: "answer", answer: "no", isDefinitive: true } as const);

/** A hot key: used every five seconds. */
async function useFor(clock: ReturnType<typeof createFixedClock>, forMs: number, use: () => unknown): Promise<void> {
  for (let passedMs = 0; passedMs < forMs; passedMs += 5_000) {
    await clock.advanceAndSettle(5_000);
    await use();
  }
}

describe("a value that is in use", () => {
  test("is renewed in the background when half its life is over, and not before", async () => {
    const { clock, peek, loadNow, instance } = world();
    await loadNow("a");
    const first = peek("a");
    clock.advance(HALF_LIFE_MS - 1);
    expect(peek("a")).toBe(first);
    await clock.advanceAndSettle(0);
    expect(instance.fetches).toBe(1);
    clock.advance(1);
    // Whoever comes first gets what is there, and waits for nothing.
    expect(peek("a")).toBe(first);
    await clock.advanceAndSettle(0);
    expect(instance.fetches).toBe(2);
    expect(peek("a")?.expiresAtEpochSeconds).toBe((first?.expiresAtEpochSeconds ?? 0) + HALF_LIFE_MS / 1000);
    expect(instance.renewals).toEqual(["renewed"]);
  });

  test("is announced before it is kept, and only when nobody waited for it", async () => {
    const { clock, peek, loadNow, instance } = world();
    await loadNow("a");
    expect(instance.announced).toEqual([]);
    clock.advance(HALF_LIFE_MS);
    peek("a");
    await clock.advanceAndSettle(0);
    expect(instance.announced).toEqual(["a"]);
  });

  test("is renewed once, however many use it meanwhile", async () => {
    const { clock, peek, loadNow, instance } = world();
    await loadNow("a");
    clock.advance(HALF_LIFE_MS);
    for (let count = 0; count < 100; count++) peek("a");
    await clock.advanceAndSettle(0);
    expect(instance.fetches).toBe(2);
  });

  test("is never waited for, for hours", async () => {
    const { clock, peek, loadNow, instance } = world();
    await loadNow("a");
    let missed = 0;
    await useFor(clock, 5 * 3_600_000, () => (missed += peek("a") === undefined ? 1 : 0));
    expect(missed).toBe(0);
    expect(instance.fetches).toBeWithin(13, 15);
  });

  test("is left alone while renewing is not allowed, and asked about again later", async () => {
    const { clock, peek, loadNow, instance } = world();
    await loadNow("a");
    instance.mayRenew = false;
    await useFor(clock, HALF_LIFE_MS + MINUTE_MS, () => peek("a"));
    expect(instance.fetches).toBe(1);
    instance.mayRenew = true;
    await useFor(clock, RETRY_MS, () => peek("a"));
    expect(instance.fetches).toBe(2);
  });
});

test("a value that nobody uses is never renewed", async () => {
  const { clock, loadNow, instance } = world();
  await loadNow("a");
  await clock.advanceAndSettle(3_600_000);
  expect(instance.fetches).toBe(1);
  expect(clock.pending()).toBe(0);
});

describe("renewals are bounded", () => {
  test("to eight at once, and those that hang cost a request nothing", async () => {
    const { clock, peek, loadNow, instance } = world({ capacity: 100 });
    const names = Array.from({ length: 50 }, (_none, index) => `k${index}`);
    for (const name of names) await loadNow(name);
    clock.advance(HALF_LIFE_MS);
    await useFor(clock, MINUTE_MS, () => {
      for (const name of names) expect(peek(name, hang)).toBeDefined();
    });
    expect(instance.fetches - names.length).toBe(8);
  });

  test("to four a second", async () => {
    const { clock, peek, loadNow, instance } = world({ capacity: 1000 });
    const names = Array.from({ length: 200 }, (_none, index) => `k${index}`);
    for (const name of names) await loadNow(name);
    clock.advance(HALF_LIFE_MS);
    for (let tenths = 0; tenths < 100; tenths++) {
      for (const name of names) peek(name);
      await clock.advanceAndSettle(100);
    }
    expect(instance.fetches - names.length).toBeWithin(20, 45);
  });
});

describe("while nobody can be asked", () => {
  test.each([
    ["refuses connections", outage],
    ["hangs for ten seconds", null],
  ])("and the upstream %s, a hot value serves until five minutes before its end", async (_how, failing) => {
    const { clock, peek, load, loadNow, instance } = world();
    await loadNow("a");
    const fail =
      failing ??
      (async () => {
        await new Promise<void>((resolve) => void clock.after(10_000, resolve));
        throw new Outage();
      });
    const waits: number[] = [];
    const use = async (): Promise<void> => {
      if (peek("a", fail) !== undefined) return;
      const startedMs = clock.monotonicMs();
      const loading = load("a", fail).then((loaded) => {
        waits.push(clock.monotonicMs() - startedMs);
        return loaded;
      });
      loading.catch(() => undefined);
      await clock.advanceAndSettle(2_000);
      expect(await loading).toMatchObject({ kind: "value", source: "memory" });
    };
    while (clock.monotonicMs() < 1_000_000 + 55 * MINUTE_MS - 10_000) {
      await clock.advanceAndSettle(3_000);
      await use();
    }
    // Nobody waits for what has been found out of reach already.
    expect(waits.filter((ms) => ms > 0)).toEqual([]);
    expect(instance.renewals).toContain("outage");
    await clock.advanceAndSettle(15_000);
    expect(peek("a", fail)).toBeUndefined();
    const failed = rejection(load("a", fail));
    await clock.advanceAndSettle(15_000);
    expect(await failed).toBeInstanceOf(Outage);
  });

  test("a value serves no longer past its time to live than is allowed", async () => {
    const { clock, loadNow } = world({ maxStaleMs: 3 * MINUTE_MS });
    await loadNow("a");
    clock.advance(TTL_MS + 3 * MINUTE_MS - 1);
    expect(await loadNow("a", outage)).toMatchObject({ source: "memory" });
    clock.advance(1);
    expect(await rejection(loadNow("a", outage))).toBeInstanceOf(Outage);
  });

  test("the first one to find a value due waits two seconds at most, and those after it not at all", async () => {
    const { clock, load, loadNow } = world();
    await loadNow("a");
    clock.advance(TTL_MS);
    let served = 0;
    const waiting = [load("a", hang), load("a", hang)].map((one) => one.then(() => (served += 1)));
    await clock.advanceAndSettle(1_999);
    expect(served).toBe(0);
    await clock.advanceAndSettle(1);
    await Promise.all(waiting);
    expect(served).toBe(2);
    expect(await load("a", hang)).toMatchObject({ source: "memory" });
  });

  test("what arrives after that wait is announced and kept", async () => {
    const { clock, load, loadNow, peek, instance } = world();
    await loadNow("a");
    const old = peek("a");
    clock.advance(TTL_MS);
    const late = load("a", async () => {
      await new Promise<void>((resolve) => void clock.after(5_000, resolve));
      return { kind: "value", value: { name: "a", expiresAtEpochSeconds: clock.nowMs() / 1000 + 3600 } };
    });
    await clock.advanceAndSettle(2_000);
    expect(await late).toMatchObject({ value: old, source: "memory" });
    await clock.advanceAndSettle(3_000);
    expect(instance.announced).toEqual(["a"]);
    expect(peek("a")).not.toEqual(old);
  });

  test("a value that was dropped during that wait does not come back", async () => {
    const { clock, load, loadNow, cache, peek } = world();
    await loadNow("a");
    clock.advance(TTL_MS);
    const waiting = load("a", outage);
    await cache.drop({ text: "a", callerVaried: false });
    expect(await rejection(waiting)).toBeInstanceOf(Outage);
    expect(peek("a")).toBeUndefined();
  });

  test("recovery is noticed within five seconds of use", async () => {
    const { clock, peek, loadNow, instance } = world();
    await loadNow("a");
    const old = peek("a");
    await useFor(clock, HALF_LIFE_MS + 10 * MINUTE_MS, () => peek("a", outage));
    const recoveredMs = clock.monotonicMs();
    while (peek("a") === old) await clock.advanceAndSettle(100);
    expect(clock.monotonicMs() - recoveredMs).toBeLessThanOrEqual(5_000);
    expect(instance.renewals.at(-1)).toBe("renewed");
  });
});

describe("a refusal while renewing", () => {
  const failing: readonly (readonly [string, () => Promise<any>, string])[] = [
    ["an answer", refuse, "refused"],
    ["a failure that is no outage", () => Promise.reject(new Error("refused")), "failed"],
  ];

  test.each(failing)("that is %s drops the value here", async (_what, fetch, outcome) => {
    const { clock, peek, loadNow, instance } = world();
    await loadNow("a");
    clock.advance(HALF_LIFE_MS);
    peek("a", fetch);
    await clock.advanceAndSettle(0);
    expect(peek("a")).toBeUndefined();
    expect(instance.renewals).toEqual([outcome as "refused"]);
  });

  test.each(failing)(
    "that is %s drops the value in the store, where it may have been pushed out here",
    async (_what, fetch) => {
      const { clock, store, first } = fleet();
      await first.loadNow("a");
      for (let passedMs = 0; passedMs < HALF_LIFE_MS; passedMs += LOCAL_TTL_MS) {
        clock.advance(LOCAL_TTL_MS);
        await first.loadNow("a");
      }
      first.peek("a", async () => {
        for (let index = 0; index < 10; index++) await first.load(`other-${index}`);
        return fetch();
      });
      await clock.advanceAndSettle(1_000);
      expect(store.text("a")).toBeUndefined();
      expect(first.peek("a")).toBeUndefined();
    },
  );

  test("is remembered: the next request is refused without asking", async () => {
    const { clock, peek, loadNow, instance } = world();
    await loadNow("a");
    clock.advance(HALF_LIFE_MS);
    peek("a", refuse);
    await clock.advanceAndSettle(0);
    expect(await loadNow("a")).toEqual({ kind: "answer", answer: "no" });
    expect(instance.fetches).toBe(2);
  });

  test("ends a value that served on past its time to live", async () => {
    const { clock, peek, load, loadNow } = world();
    await loadNow("a");
    clock.advance(TTL_MS);
    await loadNow("a", outage);
    await clock.advanceAndSettle(RETRY_MS);
    await load("a", refuse);
    await clock.advanceAndSettle(0);
    expect(peek("a")).toBeUndefined();
  });
});

describe("instances that share a value", () => {
  const passTo = async (clock: ReturnType<typeof createFixedClock>, instances: readonly Instance[], ageMs: number) => {
    for (let passedMs = LOCAL_TTL_MS; passedMs <= ageMs; passedMs += LOCAL_TTL_MS) {
      clock.advance(LOCAL_TTL_MS);
      for (const one of instances) await one.loadNow("a");
    }
  };

  test("renew it once among them: the others take over what one has made", async () => {
    const { clock, first, second } = fleet();
    await first.loadNow("a");
    await second.loadNow("a");
    await passTo(clock, [first, second], 20 * MINUTE_MS);
    clock.advance(HALF_LIFE_MS - 20 * MINUTE_MS);
    first.peek("a");
    await clock.advanceAndSettle(10);
    second.peek("a");
    await clock.advanceAndSettle(10);
    expect([first.fetches, second.fetches]).toEqual([1 + 1, 0]);
    expect([first.renewals, second.renewals]).toEqual([["renewed"], ["adopted"]]);
    expect(first.peek("a")).toEqual(second.peek("a"));
  });

  test("renew it once among them when they begin at the same moment", async () => {
    const { clock, first, second } = fleet();
    await first.loadNow("a");
    await second.loadNow("a");
    await passTo(clock, [first, second], 20 * MINUTE_MS);
    clock.advance(HALF_LIFE_MS - 20 * MINUTE_MS);
    first.peek("a");
    second.peek("a");
    await clock.advanceAndSettle(2_500);
    expect(first.fetches + second.fetches).toBe(2);
    expect([...first.renewals, ...second.renewals].toSorted()).toEqual(["adopted", "renewed"]);
  });

  test("go on without the store", async () => {
    const { clock, store, first } = fleet();
    await first.loadNow("a");
    await passTo(clock, [first], 20 * MINUTE_MS);
    store.down = true;
    clock.advance(HALF_LIFE_MS - 20 * MINUTE_MS);
    first.peek("a");
    await clock.advanceAndSettle(10);
    expect(first.renewals).toEqual(["renewed"]);
  });
});
