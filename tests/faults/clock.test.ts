import { describe, expect, test } from "bun:test";
import { createScaledClock } from "./support/scaled-clock.ts";
import { startScaledWorld } from "./support/scaled-world.ts";

const HOUR_MS = 60 * 60_000;

describe("the time of day jumps", () => {
  test.each([
    ["an hour ahead, as after a machine has slept", HOUR_MS],
    ["an hour back, as when it was set wrongly", -HOUR_MS],
  ])("%s, here and everywhere: tokens are served, and none that GitHub would not take", async (_how, byMs) => {
    await using world = await startScaledWorld(1);
    const { github } = world.simulator;
    const before = await world.ask("p0");
    expect(before.status).toBe(200);
    world.clock.jumpWall(byMs);
    for (const profile of ["p0", "p1", "p0"]) {
      const { status, token = "" } = await world.ask(profile);
      expect({ profile, status, isLive: github.isLive(token) }).toEqual({ profile, status: 200, isLive: true });
    }
    const minted = github.issuedTokens().length;
    for (let count = 0; count < 20; count++) expect((await world.ask("p0")).status).toBe(200);
    // Nothing is renewed over and over because its times look strange.
    expect(github.issuedTokens().length).toBeLessThanOrEqual(minted + 1);
  });

  test.each([
    ["an hour ahead", HOUR_MS],
    ["an hour back", -HOUR_MS],
  ])("%s, here alone: no job's token verifies; set right, the service goes on as before", async (_how, byMs) => {
    await using world = await startScaledWorld(1, createScaledClock(1));
    const { github } = world.simulator;
    const before = await world.ask("p0");
    world.clock.jumpWall(byMs);
    expect((await world.ask("p0")).status).toBe(401);
    world.clock.jumpWall(-byMs);
    const after = await world.ask("p0");
    expect({ status: after.status, isLive: github.isLive(after.token ?? "") }).toEqual({ status: 200, isLive: true });
    if (byMs < 0) expect(after.token).toBe(before.token ?? "");
    expect((await world.ask("p1")).status).toBe(200);
  });
});
