import { describe, expect, test } from "bun:test";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import { createRevoker, type PurgedToken, type RevocationCounts } from "../../../src/purge/revoker.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const fault = (code: UpstreamFault["code"], details: { status?: number; retryAfterSeconds?: number } = {}) =>
  new UpstreamFault(code, "revoke installation token", { upstream: "github", ...details });

function world(revoke: (token: string) => Promise<void> = () => Promise.resolve()) {
  const clock = createFixedClock();
  const asked: { readonly token: string; readonly atMs: number }[] = [];
  const decided: string[] = [];
  const settled: RevocationCounts[] = [];
  let running = 0;
  let mostAtOnce = 0;
  const startMs = clock.monotonicMs();
  const revoker = createRevoker<PurgedToken>({
    revoke: async (token) => {
      asked.push({ token, atMs: clock.monotonicMs() - startMs });
      mostAtOnce = Math.max(mostAtOnce, ++running);
      try {
        await revoke(token);
      } finally {
        running -= 1;
      }
    },
    clock,
    observer: {
      decided: ({ tokenSha256Base64 }, outcome) => void decided.push(`${tokenSha256Base64} ${outcome.kind}`),
      settled: (counts) => void settled.push(counts),
    },
  });
  const token = (name: string, leftSeconds = 3000): PurgedToken => ({
    token: `ghs_${name}`,
    tokenSha256Base64: name,
    expiresAtEpochSeconds: clock.nowMs() / 1000 + leftSeconds,
  });
  return { clock, revoker, token, asked, decided, settled, mostAtOnce: () => mostAtOnce };
}

describe("purged tokens", () => {
  test("are revoked once each, however often they come to hand, and the end is told", async () => {
    const { clock, revoker, token, asked, decided, settled } = world();
    for (const name of ["a", "b", "a"]) revoker.revoke(token(name));
    await clock.advanceAndSettle(0);
    revoker.revoke(token("b"));
    await clock.advanceAndSettle(60_000);
    expect(asked.map((one) => one.token)).toEqual(["ghs_a", "ghs_b"]);
    expect(decided).toEqual(["a revoked", "b revoked"]);
    expect(settled).toEqual([{ revoked: 2, alreadyInvalid: 0, givenUp: 0 }]);
  });

  test("that live longest go first", async () => {
    const { clock, revoker, token, asked } = world();
    for (const [name, left] of [
      ["old", 600],
      ["new", 3500],
      ["middle", 1800],
    ] as const)
      revoker.revoke(token(name, left));
    await clock.advanceAndSettle(0);
    expect(asked.map((one) => one.token)).toEqual(["ghs_new", "ghs_middle", "ghs_old"]);
  });

  // GitHub's secondary limit would stop the App's every call, those for new tokens too.
  test("in number: four at once, thirty at first, then one a second", async () => {
    const { clock, revoker, token, asked, mostAtOnce } = world();
    for (let index = 0; index < 100; index++) revoker.revoke(token(`t${index}`));
    await clock.advanceAndSettle(999);
    expect({ asked: asked.length, mostAtOnce: mostAtOnce() }).toEqual({ asked: 30, mostAtOnce: 4 });
    await clock.advanceAndSettle(30_000);
    expect(asked).toHaveLength(60);
    await clock.advanceAndSettle(60_000);
    expect(asked).toHaveLength(100);
  });

  test("whose turn does not come within 15 minutes are given up, and that is told", async () => {
    const { clock, revoker, token, decided, settled } = world();
    for (let index = 0; index < 1000; index++) revoker.revoke(token(`t${index}`));
    await clock.advanceAndSettle(16 * 60_000);
    expect(decided).toHaveLength(1000);
    const [counts] = settled;
    expect(settled).toHaveLength(1);
    expect(counts?.revoked).toBeWithin(925, 931);
    expect(counts?.givenUp).toBe(1000 - (counts?.revoked ?? 0));
  });
});

describe("a revocation that fails", () => {
  test.each([
    ["401: another was quicker", fault("upstream-refused", { status: 401 }), "already-invalid", 1],
    ["403", fault("upstream-refused", { status: 403 }), "given-up", 1],
    ["404", fault("upstream-refused", { status: 404 }), "given-up", 1],
    ["an answer that is none", fault("upstream-malformed", { status: 302 }), "given-up", 1],
    ["what nobody expects", new Error("boom"), "given-up", 1],
    ["no answer", fault("upstream-unavailable"), "given-up", 3],
    ["5xx", fault("upstream-unavailable", { status: 502 }), "given-up", 3],
    ["429", fault("upstream-unavailable", { status: 429, retryAfterSeconds: 60 }), "given-up", 3],
  ] as const)("%s", async (_what, error, outcome, tries) => {
    const { clock, revoker, token, asked, decided } = world(() => Promise.reject(error));
    revoker.revoke(token("a"));
    await clock.advanceAndSettle(10 * 60_000);
    expect({ decided, tries: asked.length }).toEqual({ decided: [`a ${outcome}`], tries });
  });

  test.each([
    ["after five seconds", {}, 5_000],
    ["when GitHub said", { retryAfterSeconds: 20 }, 20_000],
    ["after a minute when GitHub said an hour", { retryAfterSeconds: 3600 }, 60_000],
  ])(
    "because nobody answers is tried again %s, and holds the others back until then",
    async (_what, details, pauseMs) => {
      let isDown = true;
      const { clock, revoker, token, asked, decided } = world(() =>
        isDown ? Promise.reject(fault("upstream-unavailable", { status: 503, ...details })) : Promise.resolve(),
      );
      revoker.revoke(token("a"));
      await clock.advanceAndSettle(0);
      isDown = false;
      revoker.revoke(token("b", 3500));
      await clock.advanceAndSettle(pauseMs - 1);
      expect(asked).toHaveLength(1);
      await clock.advanceAndSettle(1);
      expect(decided.toSorted()).toEqual(["a revoked", "b revoked"]);
    },
  );
});

test("a revoker that is disposed of gives up what waits and what is under way, says so at once, and asks nothing more", async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, revoker, token, asked, decided, settled } = world(() => gate.promise);
  for (let index = 0; index < 6; index++) revoker.revoke(token(`t${index}`));
  await clock.advanceAndSettle(0);
  revoker[Symbol.dispose]();
  // The process may end before GitHub answers.
  expect(decided).toHaveLength(6);
  revoker.revoke(token("late"));
  gate.reject(fault("upstream-unavailable"));
  await clock.advanceAndSettle(600_000);
  expect(asked).toHaveLength(4);
  expect(decided.filter((one) => one.endsWith("given-up"))).toHaveLength(6);
  expect(settled).toEqual([{ revoked: 0, alreadyInvalid: 0, givenUp: 6 }]);
});
