import { expect, test } from "bun:test";
import { withinMs } from "../../../src/valkey/deadline.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

test("withinMs() gives the work's value and leaves no timer", async () => {
  const clock = createFixedClock();
  expect(await withinMs(clock, 100, Promise.resolve(7))).toBe(7);
  expect(clock.pending()).toBe(0);
});

test("withinMs() gives undefined when the time is up, and a late failure of the work is nobody's", async () => {
  const clock = createFixedClock();
  const work = Promise.withResolvers<number>();
  const outcome = withinMs(clock, 100, work.promise);
  await clock.advanceAndSettle(101);
  expect(await outcome).toBeUndefined();
  work.reject(new Error("late"));
});

test("withinMs() passes the work's failure on", async () => {
  const failure = new Error("no");
  expect(await withinMs(createFixedClock(), 100, Promise.reject(failure)).catch((error: unknown) => error)).toBe(
    failure,
  );
});

test("withinMs() still takes a value that arrives in the turn after the time was up: the stall was ours", async () => {
  const clock = createFixedClock();
  const work = Promise.withResolvers<string>();
  const outcome = withinMs(clock, 100, work.promise);
  clock.after(100, () => work.resolve("was in the socket already"));
  await clock.advanceAndSettle(100);
  expect(await outcome).toBe("was in the socket already");
});
