import { describe, expect, test } from "bun:test";
import { OverBudget } from "../../../src/lib/over-budget.ts";
import { createCallBudget } from "../../../src/vending/call-budget.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

function spend(times: number, budget: ReturnType<typeof createCallBudget>, pipeline = "a"): OverBudget | undefined {
  try {
    for (let index = 0; index < times; index++) budget.spend(pipeline);
    return undefined;
  } catch (error) {
    if (error instanceof OverBudget) return error;
    throw error;
  }
}

describe("createCallBudget()", () => {
  test("a pipeline has so many calls a minute, and is told when the next is free", () => {
    const clock = createFixedClock();
    const budget = createCallBudget(60, clock);
    expect(spend(20, budget)).toBeUndefined();
    clock.advance(10_000);
    expect(spend(40, budget)).toBeUndefined();
    expect(spend(1, budget)?.retryAfterSeconds).toBe(50);
    clock.advance(49_999);
    expect(spend(1, budget)?.retryAfterSeconds).toBe(1);
    clock.advance(1);
    expect(spend(20, budget)).toBeUndefined();
    expect(spend(1, budget)?.retryAfterSeconds).toBe(10);
  });

  test("whenever one looks, no sixty seconds have more", () => {
    const clock = createFixedClock();
    const budget = createCallBudget(60, clock);
    const times: number[] = [];
    for (let tries = 0; tries < 3000; tries++) {
      if (spend(1, budget) === undefined) times.push(clock.monotonicMs());
      clock.advance(70);
    }
    for (const [index, atMs] of times.entries())
      expect((times[index + 60] ?? Infinity) - atMs).toBeGreaterThanOrEqual(60_000);
    expect(times.length).toBeWithin(180, 241);
  });

  test("one pipeline's calls are not another's", () => {
    const budget = createCallBudget(2, createFixedClock());
    spend(3, budget);
    expect(spend(2, budget, "b")).toBeUndefined();
  });

  test("what is not used does not pile up", () => {
    const clock = createFixedClock();
    const budget = createCallBudget(5, clock);
    spend(1, budget);
    clock.advance(60 * 60_000);
    expect(spend(5, budget)).toBeUndefined();
    expect(spend(1, budget)).toBeInstanceOf(OverBudget);
  });
});
