import { beforeAll, describe, expect, test } from "bun:test";
import { hashSlot } from "../../../src/valkey/hash-slot.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { startCluster } from "../../support/valkey/cluster.ts";
import { APP_PASSWORD, APP_USER, ENGINES, installRealServers } from "../../support/valkey/real-server.ts";
import { openStore, pause, underLoad } from "../../support/valkey/store.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("cluster", ["localhost", "IP:127.0.0.1"]);
const access = {
  tls: { extraCa: authority.ca },
  credentials: () => Promise.resolve({ username: APP_USER, password: APP_PASSWORD }),
};

beforeAll(installRealServers, 300_000);

describe.each(ENGINES)("a %s cluster of three", (engine) => {
  test("moves slots under load without one failed or unanswered command", async () => {
    await using cluster = await startCluster({ engine, authority, certificate });
    await using world = openStore(cluster.nodes[0]?.port ?? 0, access);
    await world.store.firstStatus();
    const load = await underLoad(world.store, 20, async () => {
      await pause(300);
      await cluster.reshard(0, 1, 2_000);
      await pause(100);
      await cluster.reshard(2, 0, 2_000);
      await pause(100);
      await cluster.reshard(1, 2, 4_000);
      await pause(300);
    });
    console.log(`${engine} resharded 8000 slots: ${JSON.stringify(load)}`);
    expect({ failed: load.failed, unanswered: load.unanswered }).toEqual({ failed: 0, unanswered: 0 });
    expect(load.sent).toBeGreaterThan(500);
    expect(load.slowestMs).toBeLessThan(400);
    expect(world.events.count("command-refused")).toBe(0);
    expect(world.store.status().servers).toHaveLength(3);
  }, 90_000);

  test("answers for a slot in migration, on both of its sides, and gives claims there back", async () => {
    await using cluster = await startCluster({ engine, authority, certificate });
    await using world = openStore(cluster.nodes[0]?.port ?? 0, access);
    const slot = hashSlot("{tag}");
    const from = cluster.ownerOf(slot);
    const to = (from + 1) % 3;
    expect(await world.store.write("{tag}stays", "here", 60)).toBeTrue();
    const end = cluster.beginMigration(slot, from, to);
    expect(await world.store.read("{tag}stays")).toMatchObject({ kind: "hit", value: Buffer.from("here") });
    expect(await world.store.read("{tag}absent")).toEqual({ kind: "miss" });
    expect(await world.store.write("{tag}new", "there", 60)).toBeTrue();
    expect(await world.store.read("{tag}new")).toMatchObject({ kind: "hit", value: Buffer.from("there") });
    expect(cluster.nodes[to]?.admin("cluster", "countkeysinslot", String(slot))).toBe("1");
    expect(await world.store.claim("{tag}claim", "me", 5_000)).toBe("won");
    expect(await world.store.claim("{tag}claim", "you", 5_000)).toBe("taken");
    expect(world.events.count("command-refused")).toBe(0);
    end();
  }, 60_000);

  test("agrees with us on every key's slot", async () => {
    await using cluster = await startCluster({ engine, authority, certificate });
    const keys = [
      "",
      "foo",
      "{a}b",
      "a{}b",
      "a{{b}}c",
      "a{b}{c}",
      "{",
      "}{",
      "é{ü}",
      "default-profile:v1:1:2:profile://x",
    ];
    for (const key of keys) expect(cluster.nodes[0]?.admin("cluster", "keyslot", key)).toBe(String(hashSlot(key)));
  }, 60_000);

  test("a node that is killed makes its own slots unavailable and no others, and nothing waits", async () => {
    await using cluster = await startCluster({ engine, authority, certificate });
    cluster.nodes.forEach((node) => node.admin("config", "set", "cluster-require-full-coverage", "no"));
    await using world = openStore(cluster.nodes[0]?.port ?? 0, access);
    await world.store.firstStatus();
    const load = await underLoad(world.store, 20, async () => {
      await pause(300);
      await cluster.nodes[2]?.kill();
      await pause(1_500);
    });
    console.log(`${engine} cluster node killed: ${JSON.stringify(load)}`);
    expect(load.failed).toBe(0);
    expect(load.slowestMs).toBeLessThan(400);
    expect(load.unanswered).toBeGreaterThan(0);
    expect(load.unanswered).toBeLessThan(load.sent / 2);
  }, 60_000);
});
