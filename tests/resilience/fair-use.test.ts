import { describe, expect, test } from "bun:test";
import { startVirtualService, type Answer, type VirtualService } from "../support/virtual-service.ts";

const MINUTE_MS = 60_000;
const POLICY = `
pipeline:
  profiles:
    - {name: write, permissions: ["contents:write"]}
organization:
  profiles:
    - {name: any-one, repositories: ["{{caller-scoped-repository}}"], permissions: ["contents:read"]}
`;
const VICTIMS = Array.from({ length: 10 }, (_none, index) => `victim-${index}`);

/** A loop of one pipeline that asks for another repository each time, fifty a second, beside others that do their work. */
async function attack(service: VirtualService, forMs: number): Promise<{ hostile: Answer[]; victims: Answer[] }> {
  const { clock } = service;
  const hostile: Promise<Answer>[] = [];
  const victims: Promise<Answer>[] = [];
  const untilMs = clock.monotonicMs() + forMs;
  for (let round = 0; clock.monotonicMs() < untilMs; round++) {
    for (let count = 0; count < 5; count++) {
      hostile.push(service.begin("hostile", `/organization/token/any-one?repository-scope=evil-${round}-${count}`));
    }
    if (round % 10 === 0) victims.push(service.begin(VICTIMS[(round / 10) % VICTIMS.length] ?? ""));
    // Also one that nobody has seen before.
    if (round % 100 === 0) victims.push(service.begin(`newcomer-${round}`));
    await clock.advanceAndSettle(100);
  }
  const all = Promise.all([Promise.all(hostile), Promise.all(victims)]);
  await clock.advanceAndSettle(20_000);
  const [byHostile, byVictims] = await all;
  return { hostile: byHostile, victims: byVictims };
}

const failures = (answers: readonly Answer[]) => answers.filter(({ status }) => status !== 200).slice(0, 3);

describe("a pipeline that asks without end", () => {
  test("causes 60 calls a minute at most, gets 503 with a time beyond, and the others do not notice", async () => {
    await using service = await startVirtualService();
    service.policy = POLICY;
    await service.refreshPolicy();
    service.quota = { limit: 5000, remaining: 5000 };
    const before = service.calls.tokens;
    const { hostile, victims } = await attack(service, 5 * MINUTE_MS);
    expect(hostile.length).toBeGreaterThan(14_000);
    expect(victims.length).toBeGreaterThan(300);
    expect(failures(victims)).toEqual([]);
    expect(Math.max(...victims.map(({ tookMs }) => tookMs))).toBeLessThan(1_000);
    const vended = hostile.filter(({ status }) => status === 200).length;
    expect(vended).toBe(300);
    expect(service.calls.tokens - before).toBeLessThanOrEqual(300 + victims.length);
    for (const { status, retryAfter } of hostile.filter((one) => one.status !== 200)) {
      expect(status).toBe(503);
      expect(retryAfter).toBeWithin(1, 61);
    }
  }, 60_000);

  test("holds a quarter of GitHub's connections at most while its calls hang", async () => {
    await using service = await startVirtualService();
    service.policy = POLICY;
    await service.refreshPolicy();
    let hanging = 0;
    let most = 0;
    service.faults = {
      tokens: (request) => {
        if (!(request.body ?? "").includes("evil")) return undefined;
        hanging += 1;
        most = Math.max(most, hanging);
        service.clock.after(request.timeoutMs, () => (hanging -= 1));
        return "hang";
      },
    };
    const { hostile, victims } = await attack(service, 2 * MINUTE_MS);
    expect(failures(victims)).toEqual([]);
    expect(Math.max(...victims.map(({ tookMs }) => tookMs))).toBeLessThan(1_000);
    expect(most).toBe(5);
    expect(new Set(hostile.map(({ status }) => status))).toEqual(new Set([503]));
  }, 60_000);

  test("and is refused each time costs GitHub one call in 30 seconds for each thing it asks for", async () => {
    await using service = await startVirtualService();
    service.policy = POLICY;
    await service.refreshPolicy();
    service.faults = { tokens: 404 };
    const before = service.calls.tokens;
    for (let seconds = 0; seconds < 60; seconds++) {
      expect((await service.ask("hostile", "/organization/token/any-one?repository-scope=secret")).status).toBe(403);
      await service.clock.advanceAndSettle(1_000);
    }
    expect(service.calls.tokens - before).toBeWithin(2, 4);
  });
});

describe("a new policy, with which every token is missing at once", () => {
  test("is filled from a part of what is left, those in use first to last, and all are served in the end", async () => {
    await using service = await startVirtualService();
    const { clock } = service;
    const pipelines = Array.from({ length: 200 }, (_none, index) => `p${index}`);
    for (const pipeline of pipelines) expect((await service.ask(pipeline)).status).toBe(200);
    service.quota = { limit: 5000, remaining: 320 };
    // GitHub says what is left with the next reply.
    expect((await service.ask("first-after")).status).toBe(200);
    service.policy = POLICY;
    await service.refreshPolicy();
    const waiting = new Set(pipelines);
    let served = 0;
    let calls = 0;
    let tries = 0;
    const startedMs = clock.monotonicMs();
    while (waiting.size > 0 && clock.monotonicMs() - startedMs < 50 * MINUTE_MS) {
      const before = service.calls.tokens;
      const round = [...waiting];
      const answers = Promise.all(round.map((pipeline) => service.begin(pipeline)));
      await clock.advanceAndSettle(10_000);
      for (const [index, { status, retryAfter }] of (await answers).entries()) {
        tries += 1;
        if (status === 200) {
          served += 1;
          waiting.delete(round[index] ?? "");
          continue;
        }
        expect(status).toBe(503);
        expect(retryAfter).toBeWithin(1, 61);
      }
      calls += service.calls.tokens - before;
      // At most a quarter of what was left at once.
      if (tries === pipelines.length) expect(served).toBeWithin(50, 90);
      await clock.advanceAndSettle(20_000);
    }
    expect(served).toBe(pipelines.length);
    expect(calls).toBe(pipelines.length);
    expect(service.quota.remaining).toBeGreaterThan(0);
  }, 60_000);
});

test("an App that is told to slow down while it reads the policy makes no call until the time is over", async () => {
  await using service = await startVirtualService();
  const { clock, calls } = service;
  const held = await service.ask("held");
  service.faults = { contents: { status: 429, headers: { "retry-after": "30" } } };
  await service.refreshPolicy();
  service.faults = {};
  const before = { ...calls };
  await service.refreshPolicy();
  const late = await service.ask("late");
  expect([late.status, late.retryAfter]).toEqual([503, 26]);
  expect((await service.ask("held")).json.token).toBe(held.json.token);
  expect({ contents: calls.contents, tokens: calls.tokens }).toEqual({
    contents: before.contents,
    tokens: before.tokens,
  });
  await clock.advanceAndSettle(30_000);
  await service.refreshPolicy();
  expect(calls.contents).toBe(before.contents + 1);
  expect((await service.ask("late")).status).toBe(200);
});
