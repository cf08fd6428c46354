import { describe, expect, test } from "bun:test";
import type { Pipeline } from "../../../src/buildkite/pipelines.ts";
import { rememberPipelines } from "../../../src/buildkite/remembered-pipelines.ts";
import { OverBudget } from "../../../src/lib/over-budget.ts";
import { UpstreamFault, type UpstreamFaultCode } from "../../../src/lib/upstream-fault.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const MINUTE_MS = 60_000;
const fault = (code: UpstreamFaultCode, more: { status?: number; retryAfterSeconds?: number } = {}) =>
  new UpstreamFault(code, "read pipeline", { upstream: "buildkite", ...more });

function world() {
  const clock = createFixedClock();
  let asked = 0;
  let answer: Pipeline | Error = { id: "p", repository: "git@github.com:acme/widget.git" };
  let tookMs = 0;
  const pipelines = rememberPipelines(
    {
      read: () => {
        asked += 1;
        clock.advance(tookMs);
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    clock,
  );
  const read = (slug = "widget", isFresh = false, organization = "acme") =>
    pipelines
      .read(organization, slug, { caller: "p", isFresh })
      .then(({ repository }) => repository)
      .catch((error: unknown) => error);
  return {
    clock,
    read,
    asked: () => asked,
    answerWith: (next: Pipeline | Error) => (answer = next),
    take: (ms: number) => (tookMs = ms),
  };
}
const HOME = "git@github.com:acme/widget.git";

describe("while Buildkite answers", () => {
  test("it is asked every time: what is remembered stands in for nothing", async () => {
    const { read, asked, answerWith } = world();
    expect(await read()).toBe(HOME);
    answerWith({ id: "p", repository: "git@github.com:acme/moved.git" });
    expect(await read()).toBe("git@github.com:acme/moved.git");
    expect(asked()).toBe(2);
  });
});

describe("while Buildkite is down", () => {
  test("its last answer stands in until that is 15 minutes old", async () => {
    const { clock, read, answerWith } = world();
    await read();
    answerWith(fault("upstream-unavailable"));
    clock.advance(15 * MINUTE_MS - 1);
    expect(await read()).toBe(HOME);
    clock.advance(1);
    expect(await read()).toMatchObject({ code: "upstream-unavailable" });
  });

  test("an answer that has become too old during the call, as in a process that was stopped, does not stand in", async () => {
    const { read, answerWith, take } = world();
    await read();
    answerWith(fault("upstream-unavailable"));
    take(15 * MINUTE_MS);
    expect(await read()).toMatchObject({ code: "upstream-unavailable" });
  });

  test("whoever wants a fresh answer gets none", async () => {
    const { read, answerWith } = world();
    await read();
    answerWith(fault("upstream-unavailable"));
    expect(await read()).toBe(HOME);
    expect(await read("widget", true)).toMatchObject({ code: "upstream-unavailable" });
  });

  test("an answer stands in for its own pipeline of its own organization alone", async () => {
    const { read, answerWith } = world();
    await read();
    answerWith(fault("upstream-unavailable"));
    expect(await read("gadget")).toMatchObject({ code: "upstream-unavailable" });
    expect(await read("widget", false, "globex")).toMatchObject({ code: "upstream-unavailable" });
  });

  test("it is asked again after four seconds, and nobody with an answer to stand in waits in between", async () => {
    const { clock, read, asked, answerWith } = world();
    await read();
    answerWith(fault("upstream-unavailable"));
    for (let count = 0; count < 50; count++) expect(await read()).toBe(HOME);
    expect(asked()).toBe(2);
    clock.advance(4_000);
    answerWith({ id: "p", repository: "git@github.com:acme/moved.git" });
    expect(await read()).toBe("git@github.com:acme/moved.git");
  });

  test.each<readonly [string, Error]>([
    ["a refusal", fault("upstream-refused", { status: 404 })],
    ["a reply that breaks the rules", fault("upstream-malformed")],
  ])("%s ends what was remembered", async (_what, error) => {
    const { read, answerWith } = world();
    await read();
    answerWith(error);
    expect(await read()).toBe(error);
    answerWith(fault("upstream-unavailable"));
    expect(await read()).toMatchObject({ code: "upstream-unavailable" });
  });

  test("a caller over its share is told so: Buildkite is not down for it", async () => {
    const { read, answerWith } = world();
    await read();
    answerWith(new OverBudget("too many", 7));
    expect(await read()).toBeInstanceOf(OverBudget);
  });
});

describe("when Buildkite says to slow down", () => {
  test("nobody asks until the time is over; those without an answer are told when to come back", async () => {
    const { clock, read, asked, answerWith } = world();
    await read();
    answerWith(fault("upstream-unavailable", { status: 429, retryAfterSeconds: 30 }));
    expect(await read()).toBe(HOME);
    clock.advance(10_000);
    expect(await read("gadget")).toMatchObject({ details: { retryAfterSeconds: 20 } });
    expect(await read("widget", true)).toMatchObject({ details: { retryAfterSeconds: 20 } });
    expect(await read()).toBe(HOME);
    expect(asked()).toBe(2);
    clock.advance(20_000);
    answerWith({ id: "p", repository: HOME });
    expect(await read("gadget")).toBe(HOME);
  });

  test("that is obeyed for a minute at most", async () => {
    const { clock, read, asked, answerWith } = world();
    answerWith(fault("upstream-unavailable", { status: 429, retryAfterSeconds: 3600 }));
    await read();
    clock.advance(MINUTE_MS);
    await read();
    expect(asked()).toBe(2);
  });
});

test("of 10,000 pipelines the one asked about longest ago is forgotten first", async () => {
  const { read, answerWith } = world();
  for (let index = 0; index <= 10_000; index++) await read(`p${index}`);
  answerWith(fault("upstream-unavailable"));
  expect(await read("p0")).toMatchObject({ code: "upstream-unavailable" });
  expect(await read("p1")).toBe(HOME);
});
