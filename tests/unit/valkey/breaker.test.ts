import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { backOffMs } from "../../../src/valkey/back-off.ts";
import { createBreaker } from "../../../src/valkey/breaker.ts";
import { DEFAULT_TIMING } from "../../../src/valkey/timing.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

describe("a breaker", () => {
  const create = () => {
    const clock = createFixedClock();
    return { clock, breaker: createBreaker(clock, 100) };
  };

  test("opens at the third late answer in succession, and says so once", () => {
    const { clock, breaker } = create();
    const opened = [1, 2, 3, 4].map(() => {
      clock.advance(100);
      return breaker.answered(150);
    });
    expect({ opened, open: breaker.open }).toEqual({ opened: [false, false, true, false], open: true });
  });

  test("counts answers that never came as late ones", () => {
    const { clock, breaker } = create();
    for (let time = 0; time < 3; time++) {
      clock.advance(250);
      breaker.unanswered(250);
    }
    expect(breaker.open).toBeTrue();
  });

  test("counts one stall once, however many commands waited for it", () => {
    const { breaker } = create();
    for (let command = 0; command < 100; command++) breaker.answered(300);
    expect(breaker.open).toBeFalse();
  });

  test("stays closed when most answers come in time", () => {
    const { clock, breaker } = create();
    for (let round = 0; round < 100; round++) {
      clock.advance(100);
      breaker.answered(150);
      breaker.answered(1);
      breaker.answered(1);
    }
    expect(breaker.open).toBeFalse();
  });

  test("does not judge by a command that had little time left", () => {
    const { clock, breaker } = create();
    for (let command = 0; command < 10; command++) {
      clock.advance(100);
      breaker.unanswered(20);
    }
    expect(breaker.open).toBeFalse();
  });

  test("begins anew after a reset", () => {
    const { clock, breaker } = create();
    expect([breaker.trip(), breaker.trip(), breaker.open]).toEqual([true, false, true]);
    breaker.reset();
    clock.advance(100);
    expect([breaker.answered(150), breaker.open]).toEqual([false, false]);
  });
});

describe("back-off", () => {
  test("grows to its bound and stays there for ever, and its random part spreads a fleet", () => {
    const failures = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 31 }));
    fc.assert(
      fc.property(failures, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (count, random) => {
        const delayMs = backOffMs(count, DEFAULT_TIMING, () => random);
        const fullMs = Math.min(5_000, 100 * 2 ** Math.min(count, 30));
        expect(delayMs).toBeWithin(count === 0 ? 0 : fullMs / 2, fullMs + 1e-6);
      }),
    );
  });
});
