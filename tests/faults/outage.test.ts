import { describe, expect, test } from "bun:test";
import { startScaledWorld, type ScaledReply, type ScaledWorld } from "./support/scaled-world.ts";

const MINUTE_MS = 60_000;
const STEP_MS = 30_000;
const PIPELINES = Array.from({ length: 10 }, (_, index) => `p${index}`);

interface Asked extends ScaledReply {
  /** Since the period began. */
  readonly atMs: number;
  /** GitHub still takes the token. */
  readonly isLive: boolean;
}

/** Every pipeline asks twice a minute, for so long. */
async function build(world: ScaledWorld, forMs: number): Promise<readonly Asked[]> {
  const all: Asked[] = [];
  for (let atMs = 0; atMs < forMs; atMs += STEP_MS) {
    const replies = await Promise.all(PIPELINES.map(world.ask));
    const { github } = world.simulator;
    for (const reply of replies) all.push({ ...reply, atMs, isLive: github.isLive(reply.token ?? "") });
    world.clock.jump(STEP_MS);
    // Renewals that came due are made, or fail, while nobody asks.
    await Bun.sleep(2);
  }
  return all;
}

const failed = (asked: readonly Asked[]): readonly Asked[] => asked.filter(({ status }) => status !== 200);

describe("an outage of GitHub, Buildkite, KMS and the issuer together", () => {
  test("of 30 minutes goes unnoticed by pipelines that build, whenever it begins", async () => {
    await using world = await startScaledWorld(10);
    let requests = 0;
    for (const quietMinutes of [40, 7, 16, 23]) {
      const before = await build(world, quietMinutes * MINUTE_MS);
      world.isDown = true;
      const during = await build(world, 30 * MINUTE_MS);
      world.isDown = false;
      requests += before.length + during.length;
      expect(failed(before)).toEqual([]);
      expect(failed(during)).toEqual([]);
      expect([...before, ...during].filter(({ isLive }) => !isLive)).toEqual([]);
    }
    console.log(`four outages of 30 minutes: ${requests} requests, 0 failed`);
  }, 60_000);

  test("of 60 minutes: 503 with Retry-After from half an hour on, no token at its end, and new ones 5 seconds after it", async () => {
    await using world = await startScaledWorld(10);
    expect(failed(await build(world, 40 * MINUTE_MS))).toEqual([]);
    world.isDown = true;
    const during = await build(world, 60 * MINUTE_MS);
    const failures = failed(during);
    const firstMs = Math.min(...failures.map(({ atMs }) => atMs));
    const lastServedMs = Math.max(...during.filter(({ status }) => status === 200).map(({ atMs }) => atMs));
    console.log(
      `an outage of 60 minutes: ${during.length} requests, first failure after ${firstMs / MINUTE_MS} minutes, last token served after ${lastServedMs / MINUTE_MS}`,
    );
    expect(firstMs).toBeGreaterThanOrEqual(30 * MINUTE_MS);
    // A token has 60 minutes, and is not served in the last 5.
    expect(lastServedMs).toBeLessThanOrEqual(55 * MINUTE_MS);
    expect(during.filter(({ status, isLive }) => status === 200 && !isLive)).toEqual([]);
    expect(new Set(failures.map(({ status, retryAfter }) => `${status}, ${retryAfter}`))).toEqual(new Set(["503, 5"]));
    world.isDown = false;
    world.clock.jump(5000);
    const after = await Promise.all(PIPELINES.map(world.ask));
    expect(after.map(({ status }) => status)).toEqual(PIPELINES.map(() => 200));
    expect(after.filter(({ token }) => !world.simulator.github.isLive(token ?? ""))).toEqual([]);
  }, 60_000);
});
