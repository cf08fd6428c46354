import { describe, expect, test } from "bun:test";
import {
  SERVICES,
  startVirtualService,
  type Answer,
  type Fault,
  type VirtualService,
} from "../support/virtual-service.ts";

const MINUTE_MS = 60_000;
const PIPELINES = Array.from({ length: 20 }, (_none, index) => `pipeline-${index}`);
/** Each pipeline asks so often. */
const EVERY_MS = 20_000;

interface Asked extends Answer {
  readonly pipeline: string;
  readonly atMs: number;
}

/** Hot pipelines, in turn, whether or not the one before has been answered. */
async function use(service: VirtualService, forMs: number): Promise<Asked[]> {
  const { clock } = service;
  const untilMs = clock.monotonicMs() + forMs;
  const asked: Promise<Asked>[] = [];
  for (let turn = 0; clock.monotonicMs() < untilMs; turn++) {
    const pipeline = PIPELINES[turn % PIPELINES.length] ?? "";
    const atMs = clock.monotonicMs();
    asked.push(service.begin(pipeline).then((answer) => ({ ...answer, pipeline, atMs })));
    // What needs no time takes none.
    for (let turns = 0; turns < 4; turns++) await clock.advanceAndSettle(0);
    await clock.advanceAndSettle(EVERY_MS / PIPELINES.length);
  }
  const all = Promise.all(asked);
  await clock.advanceAndSettle(20_000);
  return all;
}

const everywhere = (fault: Fault) => Object.fromEntries(SERVICES.map((service) => [service, fault]));
const failed = (asked: readonly Asked[]) => asked.filter(({ status }) => status !== 200);
const longestMs = (asked: readonly Asked[]) => Math.max(...asked.map(({ tookMs }) => tookMs));

describe("an outage of GitHub, Buildkite, KMS and the issuer together, for 30 minutes", () => {
  // Wherever in the life of the tokens it begins.
  test.each<readonly [Fault, number]>([
    ["refuse", 21],
    ["refuse", 38],
    ["refuse", 44],
    ["hang", 22],
    ["hang", 43],
    [503, 33],
  ])(
    "that shows as %p and begins after %d minutes fails no request",
    async (fault, beginsMinutes) => {
      await using service = await startVirtualService();
      const before = await use(service, beginsMinutes * MINUTE_MS);
      expect(failed(before).slice(0, 3)).toEqual([]);
      service.faults = everywhere(fault);
      const calls = { ...service.calls };
      const during = await use(service, 30 * MINUTE_MS);
      expect(during.length).toBeGreaterThan(1500);
      expect(failed(during).slice(0, 3)).toEqual([]);
      // Nobody waits for what is out of reach, but for two seconds before that is known of a token.
      expect(longestMs(during)).toBeLessThanOrEqual(2_100);
      expect(during.filter(({ tookMs }) => tookMs > 0).length).toBeLessThanOrEqual(PIPELINES.length);
      const caused = SERVICES.reduce((sum, name) => sum + service.calls[name] - calls[name], 0);
      expect(caused).toBeLessThanOrEqual(1.1 * during.length);
      service.faults = {};
      expect(failed(await use(service, 5 * MINUTE_MS)).slice(0, 3)).toEqual([]);
    },
    120_000,
  );
});

describe("an outage of them together, for 60 minutes", () => {
  test.each<Fault>(["refuse", "hang"])(
    "that shows as %p fails requests when their tokens end, and no sooner; 503 until it is over, fresh tokens within five seconds after",
    async (fault) => {
      await using service = await startVirtualService();
      await use(service, 30 * MINUTE_MS);
      const last = await Promise.all(PIPELINES.map((pipeline) => service.ask(pipeline)));
      const endsAtMs = new Map(
        PIPELINES.map((pipeline, index) => [pipeline, Date.parse(last[index]?.json.expiry) - 5 * MINUTE_MS]),
      );
      const { clock } = service;
      const beganMs = clock.nowMs();
      const offsetMs = clock.nowMs() - clock.monotonicMs();
      service.faults = everywhere(fault);
      const during = await use(service, 60 * MINUTE_MS);
      for (const pipeline of PIPELINES) {
        const own = during.filter((one) => one.pipeline === pipeline);
        const firstMs = (failed(own)[0]?.atMs ?? Infinity) + offsetMs;
        const dueMs = endsAtMs.get(pipeline) ?? 0;
        // Renewed within half its life, a token has half an hour left at the least.
        expect(dueMs - beganMs).toBeGreaterThan(30 * MINUTE_MS);
        expect(firstMs).toBeWithin(dueMs - 1, dueMs + 60_000);
        // Once it has ended, nothing is served any more.
        for (const { status, retryAfter } of own.slice(own.findIndex((one) => one.status !== 200))) {
          expect(status).toBe(503);
          expect(retryAfter).toBeWithin(1, 61);
        }
      }
      const recoveredMs = clock.nowMs();
      service.faults = {};
      await clock.advanceAndSettle(1_000);
      const waiting = Promise.all(PIPELINES.map((pipeline) => service.begin(pipeline)));
      await clock.advanceAndSettle(4_000);
      const after = await waiting;
      expect(after.map(({ status }) => status)).toEqual(PIPELINES.map(() => 200));
      for (const { json } of after) expect(Date.parse(json.expiry)).toBeGreaterThan(recoveredMs + 3_590_000);
    },
    120_000,
  );
});

test("tokens made in the background are on record, and every request is", async () => {
  await using service = await startVirtualService();
  const asked = await use(service, 60 * MINUTE_MS);
  const events = service.lines.filter(({ type }) => type === "audit");
  expect(events.filter(({ message }) => message === "audit_event")).toHaveLength(asked.length);
  const minted = events.filter(({ message }) => message === "mint_event");
  // Twice an hour and pipeline; what a request waited for has the line of that request.
  expect(minted.length).toBeWithin(PIPELINES.length * 2, PIPELINES.length * 3);
  expect(new Set(minted.map(({ token }) => token.hashedToken)).size).toBe(minted.length);
  expect(minted[0]?.["token"]).toEqual({
    requestedProfile: expect.stringMatching(
      /^profile:\/\/organization\/acme\/pipeline\/id-of-pipeline-\d+\/pipeline-\d+\/profile\/default$/,
    ),
    app: "default",
    applicationID: 111,
    installationID: 222,
    profileDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    vendedRepository: expect.stringMatching(/^https:\/\/github\.com\/acme\/pipeline-\d+\.git$/),
    repositories: [expect.stringMatching(/^pipeline-\d+$/)],
    permissions: ["contents:read", "metadata:read"],
    hashedToken: expect.any(String),
    expiry: expect.any(String),
    expiryRemaining: 3599,
    source: "github",
  });
  // Each token that was served was put on record when it was made: by its own line, or by that of the request that waited.
  const made = new Set([
    ...minted.map(({ token }) => token.hashedToken),
    ...events
      .filter(({ message, token }) => message === "audit_event" && token?.source === "github")
      .map(({ token }) => token.hashedToken),
  ]);
  for (const { token } of events) expect(made.has(token.hashedToken)).toBe(true);
}, 60_000);

test.each<readonly [Fault]>([["refuse"], ["hang"], [502]])(
  "requests that fail while GitHub shows %p use up none of the hour's calls: all are served within five seconds after",
  async (fault) => {
    await using service = await startVirtualService();
    const { clock } = service;
    service.quota = { limit: 5000, remaining: 2000 };
    expect((await service.ask("first")).status).toBe(200);
    const newcomers = Array.from({ length: 100 }, (_none, index) => `newcomer-${index}`);
    service.faults = { tokens: fault };
    for (let round = 0; round < 30; round++) {
      const asking = Promise.all(newcomers.map((pipeline) => service.begin(pipeline)));
      await clock.advanceAndSettle(20_000);
      for (const { status } of await asking) expect(status).toBe(503);
    }
    service.faults = {};
    const waiting = Promise.all(newcomers.map((pipeline) => service.begin(pipeline)));
    await clock.advanceAndSettle(5_000);
    expect((await waiting).map(({ status }) => status)).toEqual(newcomers.map(() => 200));
  },
  60_000,
);
