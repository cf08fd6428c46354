import { expect, test } from "bun:test";
import { DEFAULT_TIMING } from "../../../src/valkey/timing.ts";
import { startMemoryServer } from "../../support/valkey/memory-server.ts";
import { openStore } from "../../support/valkey/store.ts";

test("a peer that falls silent is noticed within 10 seconds, by the durations that are in force", () => {
  expect(DEFAULT_TIMING.heartbeatMs + DEFAULT_TIMING.silentMs).toBeLessThan(10_000);
});

test("a silent peer is left out before any command has to wait for it, then given up, and replaced", async () => {
  await using server = await startMemoryServer();
  const timing = { heartbeatMs: 60, probeMs: 40, silentMs: 120, connectMs: 150 };
  await using world = openStore(server.port, { timing });
  await world.store.firstStatus();
  const noticed = world.events.untilState("down silent");
  const startedMs = performance.now();
  server.pause();
  await noticed;
  expect(performance.now() - startedMs).toBeLessThan(60 + 120 + 100);
  const back = world.events.untilState("up");
  server.resume();
  await back;
  expect(world.events.states().slice(0, 3)).toEqual(["up", "slow slow", "down silent"]);
  expect((await world.store.read("key")).kind).toBe("miss");
});
