import { expect, test } from "bun:test";
import { createFixedClock, FIXED_START_MS } from "../../support/fixed-clock.ts";

test("a fixed clock stands still until it is moved", () => {
  const clock = createFixedClock();
  expect(clock.nowMs()).toBe(FIXED_START_MS);
  const before = clock.monotonicMs();
  clock.advance(1500);
  expect(clock.nowMs()).toBe(FIXED_START_MS + 1500);
  expect(clock.monotonicMs()).toBe(before + 1500);
});

test("advance() runs calls in order of their time, each seeing the clock at that time", () => {
  const clock = createFixedClock();
  const seen: [string, number][] = [];
  const note = (name: string): void => void seen.push([name, clock.nowMs() - FIXED_START_MS]);
  clock.after(300, () => note("late"));
  clock.after(100, () => {
    note("early");
    clock.after(100, () => note("again"));
  });
  clock.after(100, () => note("second of its time"));
  clock.advance(299);
  expect(seen).toEqual([
    ["early", 100],
    ["second of its time", 100],
    ["again", 200],
  ]);
  expect(clock.pending()).toBe(1);
});

test("a cancelled call never runs, and cancelling twice does nothing", () => {
  const clock = createFixedClock();
  let runs = 0;
  const cancel = clock.after(10, () => (runs += 1));
  clock.after(10, () => (runs += 10));
  cancel();
  cancel();
  clock.advance(1000);
  expect(runs).toBe(10);
});

test("setWall() moves no scheduled call and no monotonic time", () => {
  const clock = createFixedClock();
  const before = clock.monotonicMs();
  clock.after(10, () => {});
  clock.setWall(FIXED_START_MS + 3_600_000);
  expect(clock.nowMs()).toBe(FIXED_START_MS + 3_600_000);
  expect(clock.monotonicMs()).toBe(before);
  expect(clock.pending()).toBe(1);
});

test("advanceAndSettle() lets an asynchronous call schedule its next one", async () => {
  const clock = createFixedClock();
  let runs = 0;
  const repeat = async (): Promise<void> => {
    runs += 1;
    await Promise.resolve();
    clock.after(100, () => void repeat());
  };
  clock.after(100, () => void repeat());
  await clock.advanceAndSettle(350);
  expect(runs).toBe(3);
});
