import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  createWorkQueue,
  LEAST_SLICES_WAITED,
  LONGEST_SLICE_MS,
  LONGEST_WAIT_MS,
  SLICE_MS,
} from "../../../src/http/work-queue.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const clock = createFixedClock();
  const queue = createWorkQueue(clock);
  const log: string[] = [];
  /** Work that takes the processor for so long. */
  const add = (name: string, tookMs: number): void =>
    queue.add(
      {
        begin: () => {
          log.push(name);
          clock.advance(tookMs);
        },
        refuse: () => void log.push(`${name} refused`),
      },
      clock.monotonicMs(),
    );
  return { clock, queue, log, add };
}

describe("createWorkQueue()", () => {
  test("begins at once what comes while a slice lasts", async () => {
    const { log, add } = setUp();
    add("first", 0);
    await turn();
    add("second", 0);
    expect(log).toEqual(["first", "second"]);
  });

  test("works for one slice, lets the event loop look at its sockets, and goes on in the order of arrival", async () => {
    const { log, add, queue } = setUp();
    for (const name of ["a", "b", "c", "d", "e"]) add(name, SLICE_MS / 2);
    expect(log).toEqual([]);
    await turn();
    expect(log).toEqual(["a", "b"]);
    expect(queue.length()).toBe(3);
    add("f", 0);
    await turn();
    await turn();
    expect(log).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(queue.length()).toBe(0);
  });

  test("lets nothing overtake what waits", async () => {
    const { log, add } = setUp();
    add("long", SLICE_MS);
    add("waiting", 0);
    await turn();
    add("later", 0);
    expect(log).toEqual(["long"]);
    await turn();
    expect(log).toEqual(["long", "waiting", "later"]);
  });

  test("refuses what has waited longer than it may while others were worked on, and only that", async () => {
    const { clock, log, add, queue } = setUp();
    const eachMs = LONGEST_WAIT_MS / LEAST_SLICES_WAITED;
    for (let index = 0; index < LEAST_SLICES_WAITED; index++) add("others", eachMs);
    add("in time", 1);
    add("too late", 0);
    while (queue.length() > 0) await turn();
    add("new", 0);
    await turn();
    expect(log.slice(LEAST_SLICES_WAITED)).toEqual(["in time", "too late refused", "new"]);
    expect(clock.pending()).toBe(0);
  });

  test.each([
    [10, 10],
    [LONGEST_SLICE_MS * 3, LONGEST_SLICE_MS],
  ])("after %d ms of everything else, while requests waited, they get %d ms", async (elsewhereMs, sliceMs) => {
    const { clock, log, add } = setUp();
    for (let index = 0; index < 200; index++) add(String(index), 1);
    await turn();
    const before = log.length;
    clock.advance(elsewhereMs);
    await turn();
    expect(log.length - before).toBe(sliceMs);
  });

  test("refuses nothing because the process was not run for a while", async () => {
    const { clock, log, add } = setUp();
    add("first", 0);
    add("second", 0);
    clock.advance(10 * LONGEST_WAIT_MS);
    await turn();
    expect(log).toEqual(["first", "second"]);
  });

  /** Under load the queue may not be empty for hours. */
  test("keeps nothing of what has had its turn while others wait", async () => {
    const { clock, queue } = setUp();
    const gone: WeakRef<object>[] = [];
    const addOne = (): void => {
      const work = { begin: () => clock.advance(SLICE_MS), refuse: () => undefined };
      gone.push(new WeakRef(work));
      queue.add(work, clock.monotonicMs());
    };
    for (let index = 0; index < 200; index++) addOne();
    for (let index = 0; index < 150; index++) await turn();
    Bun.gc(true);
    expect(queue.length()).toBe(50);
    expect(gone.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(100);
  });

  test("begins or refuses everything exactly once, in the order of arrival, whatever takes how long", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(3), fc.constant(LONGEST_WAIT_MS), fc.constant("turn")), { maxLength: 40 }),
        async (steps) => {
          const { log, add, queue } = setUp();
          let count = 0;
          for (const step of steps) {
            if (typeof step === "number") add(String(count++), step);
            else await turn();
          }
          while (queue.length() > 0) await turn();
          await turn();
          expect(log.map(Number.parseFloat)).toEqual(Array.from({ length: count }, (_none, index) => index));
        },
      ),
      { numRuns: 50 },
    );
  });
});
