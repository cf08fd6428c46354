import { describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { expectRefusal } from "../support/http-assertions.ts";
import { startWorld, type Answer, type TestWorld } from "../support/world.ts";

/** Tokens of GitHub's that are usable for so long: an hour of the real ones in some seconds. */
const LIFE_MS = 8_000;
const LAST_MINUTES_MS = 5 * 60_000;

async function startShortLivedWorld(): Promise<TestWorld> {
  const world = await startWorld({}, { policy: DEFAULT_POLICY });
  world.simulator.github.tamperGrant = (grant) => ({
    ...grant,
    // The whole second after: GitHub's times have no fractions.
    expires_at: new Date(Math.ceil((Date.now() + LIFE_MS + LAST_MINUTES_MS) / 1000) * 1000).toISOString(),
  });
  return world;
}

/** Asks five times a second until `isOver`. */
async function askUntil(
  world: TestWorld,
  isOver: (answer: Answer) => boolean,
  limitMs = 3 * LIFE_MS,
): Promise<readonly Answer[]> {
  const untilMs = performance.now() + limitMs;
  const answers: Answer[] = [];
  const jwt = world.jwt();
  for (;;) {
    const answer = await world.ask("/token", { jwt });
    answers.push(answer);
    if (isOver(answer)) return answers;
    if (performance.now() > untilMs) throw new Error(`not over after ${limitMs} ms: ${answer.status}`);
    await Bun.sleep(200);
  }
}

const mints = (world: TestWorld, answer: (request: Request) => Response | undefined) => {
  world.simulator.interceptor = (request, upstream) =>
    upstream === "github" && request.url.endsWith("/access_tokens") ? answer(request) : undefined;
};

// Concurrent: each waits for half of a token's life.
describe(`a token in use (${underTest})`, () => {
  test.concurrent(
    "is renewed before it ends, behind everybody's back and on record",
    async () => {
      await using world = await startShortLivedWorld();
      const startedMs = performance.now();
      const answers = await askUntil(world, () => performance.now() - startedMs > 2 * LIFE_MS);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      // All but the first are answered from memory.
      expect(answers.filter(({ audit }) => audit["token"].source !== "memory")).toHaveLength(1);
      const tokens = new Set(answers.map(({ json }) => json.hashedToken));
      expect(tokens.size).toBeWithin(3, 7);
      const events = world.bridge.audit.filter((line) => line["message"] === "mint_event");
      const announced = new Set(events.map((line) => line["token"].hashedToken));
      expect(tokens.difference(announced)).toEqual(new Set([answers[0]?.json.hashedToken]));
      expect(events[0]).toMatchObject({
        level: "audit",
        type: "audit",
        instance: expect.any(String),
        sequence: expect.any(Number),
        token: { app: "default", applicationID: 111, installationID: 222, source: "github", repositories: ["widget"] },
      });
      const { audit } = world.bridge;
      expect(audit.map((line) => line["sequence"])).toEqual(audit.map((_line, index) => index + 1));
    },
    60_000,
  );

  test.concurrent.each([401, 403, 404, 422])(
    "is gone when GitHub answers %d to its renewal",
    async (status) => {
      await using world = await startShortLivedWorld();
      await world.ask("/token");
      const startedMs = performance.now();
      mints(world, () => new Response(JSON.stringify({ message: "no" }), { status }));
      const answers = await askUntil(world, (answer) => answer.status !== 200);
      // By its own end it would have served for longer.
      expect(performance.now() - startedMs).toBeLessThan(LIFE_MS * 0.8);
      const last = answers.at(-1);
      if (last === undefined) throw new Error("no answer");
      expectRefusal(last, "json", 403, "Forbidden");
    },
    60_000,
  );

  test.concurrent(
    "serves on while GitHub is out of reach, ends when it must, and is back within five seconds",
    async () => {
      await using world = await startShortLivedWorld();
      const startedMs = performance.now();
      await world.ask("/token");
      mints(world, () => new Response("", { status: 502 }));
      const answers = await askUntil(world, (answer) => answer.status !== 200);
      expect(performance.now() - startedMs).toBeWithin(LIFE_MS - 100, LIFE_MS + 2_500);
      const last = answers.at(-1);
      if (last === undefined) throw new Error("no answer");
      expectRefusal(last, "json", 503, "Service Unavailable");
      expect(last.headers.get("retry-after")).toBe("5");
      await world.bridge.waitFor((line) => line["message"] === "cached tokens cannot be renewed; those held serve on");
      world.simulator.interceptor = undefined;
      const recoveredMs = performance.now();
      await askUntil(world, (answer) => answer.status === 200);
      expect(performance.now() - recoveredMs).toBeLessThan(5_000);
    },
    60_000,
  );

  test.concurrent(
    "serves at once while GitHub hangs",
    async () => {
      await using world = await startShortLivedWorld();
      await world.ask("/token");
      world.simulator.interceptor = (_request, upstream) =>
        upstream === "oidc" ? undefined : new Promise<Response>(() => undefined);
      const jwt = world.jwt();
      let longestMs = 0;
      const untilMs = performance.now() + LIFE_MS * 0.9;
      while (performance.now() < untilMs) {
        const beganMs = performance.now();
        expect((await world.ask("/token", { jwt })).status).toBe(200);
        longestMs = Math.max(longestMs, performance.now() - beganMs);
        await Bun.sleep(100);
      }
      expect(longestMs).toBeLessThan(1_000);
    },
    60_000,
  );
});
