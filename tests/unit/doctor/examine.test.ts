import { describe, expect, test } from "bun:test";
import { failed, ok, problem, warning, worstLast, worstOf, type Check } from "../../../src/doctor/check.ts";
import { examine } from "../../../src/doctor/examine.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const check = (name: string, outcome: Check["outcome"], ...checks: Check[]): Check => ({
  name,
  outcome,
  detail: "",
  durationMs: 0,
  checks,
});

describe("examine()", () => {
  test("gives each check's value to the next, times each, and takes the worst outcome", async () => {
    const clock = createFixedClock();
    const { check: subject, value } = await examine("subject", clock, async ({ run, skip }) => {
      const first = await run("first", () => {
        clock.advance(20);
        return Promise.resolve(ok("fine", 1));
      });
      const second = await run("second", () => Promise.resolve(warning("clock-differs", "off", (first ?? 0) + 1)));
      skip("third", "not configured");
      return second;
    });
    expect(value).toBe(2);
    expect(subject).toMatchObject({ name: "subject", outcome: "warning", durationMs: 20 });
    expect(subject.checks.map(({ outcome, durationMs }) => [outcome, durationMs])).toEqual([
      ["ok", 20],
      ["warning", 0],
      ["skipped", 0],
    ]);
  });

  test("puts what is thrown into words by the check's own explanation", async () => {
    const { check: subject } = await examine("subject", createFixedClock(), async ({ run }) => {
      const fault = new UpstreamFault("upstream-refused", "read App", { upstream: "github", status: 401 });
      await run(
        "first",
        () => Promise.reject(fault),
        () => failed("app-refused", "no"),
      );
    });
    expect(subject.checks[0]).toMatchObject({ outcome: "failed", problem: { code: "app-refused" }, detail: "no" });
  });

  // The text of an error that nobody expected may hold anything.
  test.each([
    [new TypeError("canary"), "TypeError"],
    [Object.assign(new Error("canary"), { code: "ENOENT" }), "Error ENOENT"],
    [Object.assign(new Error("canary"), { code: "canary with spaces" }), "Error"],
    ["canary", "unknown error"],
  ])("names a fault of the program, and nothing of its text: %p", async (thrown, detail) => {
    const { check: subject } = await examine("subject", createFixedClock(), async ({ run }) => {
      await run("first", () => {
        // oxlint-disable-next-line typescript/only-throw-error -- whatever is thrown
        throw thrown;
      });
    });
    expect(subject.checks[0]).toMatchObject({ problem: { code: "unexpected" }, detail });
  });

  test("ends a check that hangs, and tells it", async () => {
    const clock = createFixedClock();
    let aborted = false;
    const examined = examine("subject", clock, async ({ run }) => {
      await run("first", (signal) => {
        signal.addEventListener("abort", () => (aborted = true));
        return new Promise(() => undefined);
      });
    });
    clock.advance(15_000);
    const { check: subject } = await examined;
    expect(subject.checks[0]).toMatchObject({ outcome: "failed", problem: { code: "no-answer-in-time" } });
    expect(aborted).toBe(true);
  });
});

describe("outcomes", () => {
  test("the worst is last at every level, and those alike stay in their order", () => {
    const sorted = worstLast([
      check("a", "failed", check("b", "failed"), check("c", "ok"), check("d", "skipped")),
      check("e", "ok"),
      check("f", "warning"),
      check("g", "ok"),
    ]);
    expect(sorted.map(({ name }) => name)).toEqual(["e", "g", "f", "a"]);
    expect(sorted[3]?.checks.map(({ name }) => name)).toEqual(["c", "d", "b"]);
  });

  test("what was left out makes nothing worse, and nothing else is left out with it", () => {
    expect(worstOf([])).toBe("ok");
    expect(worstOf([check("a", "skipped")])).toBe("skipped");
    expect(worstOf([check("a", "ok"), check("b", "skipped")])).toBe("ok");
    expect(worstOf([check("a", "skipped"), problem("b", "warning", "clock-differs", "")])).toBe("warning");
  });
});
