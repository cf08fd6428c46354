import { describe, expect, test } from "bun:test";
import { createAccountSource } from "../../../src/github/account-source.ts";
import type { InstallationAccount } from "../../../src/github/installations.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { rejection } from "../../support/rejection.ts";

const ACME: InstallationAccount = { id: 1, login: "acme", type: "Organization" };
const RENAMED: InstallationAccount = { ...ACME, login: "acme-inc" };

function world() {
  const clock = createFixedClock();
  let answer: InstallationAccount | Error | undefined = ACME;
  let asked = 0;
  const source = createAccountSource(() => {
    asked += 1;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }, clock);
  return { clock, source, asked: () => asked, set: (next: typeof answer) => (answer = next) };
}

describe("the App's account", () => {
  test("is learnt when first needed, once for all who wait, and then known without a promise", async () => {
    const { source, asked } = world();
    await Promise.all([source.current(), source.current()]);
    expect(source.current()).toEqual(ACME);
    expect(asked()).toBe(1);
  });

  test("is asked again hourly in the background, nobody waiting", async () => {
    const { source, clock, set } = world();
    await source.current();
    set(RENAMED);
    clock.advance(60 * 60_000);
    expect(source.current()).toEqual(ACME);
    await Promise.resolve();
    await Promise.resolve();
    expect(source.current()).toEqual(RENAMED);
  });

  test("once known it stays known while GitHub cannot be asked, which is tried once a minute", async () => {
    const { source, clock, asked, set } = world();
    await source.current();
    set(new UpstreamFault("upstream-unavailable", "read installation", { upstream: "github" }));
    clock.advance(60 * 60_000);
    for (let count = 0; count < 5; count++) {
      expect(source.current()).toEqual(ACME);
      await Promise.resolve();
    }
    expect(asked()).toBe(2);
    clock.advance(60_000);
    void source.current();
    expect(asked()).toBe(3);
  });

  test("while it is not known, GitHub is asked once a second, however many need it", async () => {
    const { source, clock, asked, set } = world();
    set(new UpstreamFault("upstream-refused", "read installation", { upstream: "github", status: 404 }));
    for (let count = 0; count < 1000; count++) {
      expect(await rejection(Promise.resolve(source.current()))).toMatchObject({ code: "upstream-unavailable" });
      clock.advance(10);
    }
    expect(asked()).toBe(10);
    set(ACME);
    clock.advance(1000);
    expect(await source.current()).toEqual(ACME);
  });

  test.each([
    [
      "an outage",
      new UpstreamFault("upstream-unavailable", "read installation", { upstream: "github", retryAfterSeconds: 9 }),
    ],
    ["a refusal", new UpstreamFault("upstream-refused", "read installation", { upstream: "github", status: 404 })],
    ["no account", undefined],
  ])("while it is not known, %s is an outage to whoever needs it", async (_what, answer) => {
    const { source, set } = world();
    set(answer);
    const failure = await Promise.resolve(source.current()).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "upstream-unavailable",
      message: "github: the App's account is not known yet",
    });
  });
});
