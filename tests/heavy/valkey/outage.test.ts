import { beforeAll, describe, expect, test } from "bun:test";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { startFaultProxy } from "../../support/valkey/fault-proxy.ts";
import {
  APP_PASSWORD,
  APP_USER,
  ENGINES,
  installRealServers,
  startRealServer,
} from "../../support/valkey/real-server.ts";
import { type LoadReport, openStore, pause, underLoad } from "../../support/valkey/store.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("server", ["localhost"]);
const access = {
  tls: { extraCa: authority.ca },
  credentials: () => Promise.resolve({ username: APP_USER, password: APP_PASSWORD }),
};
const WORKERS = 20;

/** A request's budget, and what a busy machine may add before a timer is served. */
const BUDGET_MS = 250 + 150;

beforeAll(installRealServers, 300_000);

function check(title: string, load: LoadReport): void {
  console.log(`${title}: ${JSON.stringify(load)}`);
  expect(load.failed).toBe(0);
  expect(load.slowestMs).toBeLessThan(BUDGET_MS);
  expect(load.sent).toBeGreaterThan(500);
}

describe.each(ENGINES)("%s under load", (engine) => {
  test("killed and started again: nothing fails, nothing waits longer than its budget, and it is used again", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    await using world = openStore(server.port, access);
    await world.store.firstStatus();
    const load = await underLoad(world.store, WORKERS, async () => {
      await pause(300);
      const down = world.events.untilState("down refused");
      await server.kill();
      await down;
      await pause(700);
      const up = world.events.untilState("up");
      await server.restart();
      await up;
      await pause(300);
    });
    check(`${engine} killed and restarted`, load);
    expect(world.events.states()).toEqual(["up", "down refused", "up"]);
    expect(await world.store.write("after", "it", 60)).toBeTrue();
  }, 30_000);

  test("stopped and continued: requests wait for it only at first", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    await using world = openStore(server.port, access);
    await world.store.firstStatus();
    const load = await underLoad(world.store, WORKERS, async () => {
      await pause(300);
      const slow = world.events.untilState("slow slow");
      server.pause();
      await slow;
      const startedMs = performance.now();
      for (let request = 0; request < 1_000; request++) await world.store.read("key");
      expect(performance.now() - startedMs).toBeLessThan(500);
      await pause(1_000);
      const up = world.events.untilState("up");
      server.resume();
      await up;
      await pause(300);
    });
    check(`${engine} stopped and continued`, load);
    expect(world.events.states()).toEqual(["up", "slow slow", "up"]);
  }, 30_000);

  test("stopped for longer than the heartbeat allows: given up, and picked up when it is back", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    const timing = { heartbeatMs: 100, silentMs: 400, connectMs: 500 };
    await using world = openStore(server.port, { ...access, timing });
    await world.store.firstStatus();
    const load = await underLoad(world.store, WORKERS, async () => {
      await pause(200);
      const given = world.events.untilState("down silent");
      server.pause();
      await given;
      await world.events.untilState("down timeout");
      const up = world.events.untilState("up");
      server.resume();
      await up;
    });
    check(`${engine} stopped for long`, load);
    expect(await world.store.write("after", "it", 60)).toBeTrue();
  }, 30_000);
});

describe("the network under load", () => {
  test.each([
    ["connections reset once a while", { unanswered: 0 }],
    ["latency beyond the budget", {}],
    ["a black hole", {}],
    ["half-open connections", {}],
    ["every connection reset", {}],
  ] as const)(
    "%s",
    async (fault, { unanswered }: { readonly unanswered?: number }) => {
      await using server = await startRealServer({ engine: "valkey", authority, certificate });
      await using proxy = await startFaultProxy(server.port);
      const timing = { heartbeatMs: 150, silentMs: 500, connectMs: 800, probeMs: 300 };
      await using world = openStore(proxy.port, { ...access, timing });
      await world.store.firstStatus();
      const load = await underLoad(world.store, WORKERS, async () => {
        await pause(200);
        if (fault === "connections reset once a while") {
          for (let time = 0; time < 5; time++) {
            const lost = world.events.until(({ kind }) => kind === "connection-lost");
            proxy.resetAll();
            await lost;
            await pause(200);
          }
          return;
        }
        const out = world.events.until((event) => event.kind === "state" && event.state !== "up");
        if (fault === "latency beyond the budget") proxy.latencyMs = 400;
        if (fault === "a black hole") proxy.fault = "black-hole";
        if (fault === "half-open connections") proxy.halfOpen();
        if (fault === "every connection reset") proxy.fault = "reset";
        await out;
        await pause(1_200);
        if (world.store.status().state === "up") return;
        const up = world.events.untilState("up");
        proxy.latencyMs = 0;
        proxy.fault = "pass";
        await up;
        await pause(200);
      });
      check(fault, load);
      if (unanswered !== undefined) expect(load.unanswered).toBe(unanswered);
      expect(world.store.status().state).toBe("up");
      expect(await world.store.write("after", "it", 60)).toBeTrue();
    },
    30_000,
  );
});
