import { describe, expect, test } from "bun:test";
import { hashSlot, SLOT_COUNT } from "../../../src/valkey/hash-slot.ts";
import { type MemoryServer, type MemoryServerOptions, startMemoryServer } from "../../support/valkey/memory-server.ts";
import { openStore } from "../../support/valkey/store.ts";

type Answer = NonNullable<MemoryServerOptions["answer"]>;

const KEYED = new Set(["GET", "PTTL", "SET", "DEL", "WATCH"]);

/** Servers that each answer for their slots and redirect for the others, as `route` says at that time. */
async function startServers(
  count: number,
  route: (server: number, slot: number, asked: boolean) => string | undefined,
) {
  const servers: MemoryServer[] = [];
  for (let index = 0; index < count; index++) {
    let asked = false;
    const answer: Answer = ([name = "", key = ""]) => {
      if (name === "ASKING") {
        asked = true;
        return { raw: "+OK" };
      }
      if (!KEYED.has(name)) return undefined;
      const text = route(index, hashSlot(key), asked);
      asked = false;
      return text === undefined ? undefined : { raw: `-${text}` };
    };
    servers.push(await startMemoryServer({ answer }));
  }
  const ports = servers.map(({ port }) => port);
  const { store, events } = openStore(ports[0] ?? 0);
  await store.firstStatus();
  return {
    servers,
    ports,
    store,
    events,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

const count = (server: MemoryServer | undefined, name: string): number =>
  server?.commands.filter(([command]) => command === name).length ?? 0;

describe("MOVED", () => {
  test("is followed by host name, and remembered for its slot", async () => {
    const ports: number[] = [];
    await using world = await startServers(2, (server, slot) =>
      server === 0 ? `MOVED ${slot} localhost:${ports[1]}` : undefined,
    );
    ports.push(...world.ports);
    expect(await world.store.write("key", "value", 60)).toBeTrue();
    for (let time = 0; time < 5; time++) expect((await world.store.read("key")).kind).toBe("hit");
    expect(world.servers[1]?.entries.has("key")).toBeTrue();
    expect({ set: count(world.servers[0], "SET"), get: count(world.servers[0], "GET") }).toEqual({ set: 1, get: 0 });
    expect(world.store.status().servers.map(({ state }) => state)).toEqual(["up", "up"]);
  });

  test("is followed by claims and releases too", async () => {
    const ports: number[] = [];
    await using world = await startServers(2, (server, slot) =>
      server === 0 ? `MOVED ${slot} localhost:${ports[1]}` : undefined,
    );
    ports.push(...world.ports);
    expect(await world.store.claim("claim", "me", 5_000)).toBe("won");
    expect(await world.store.claim("claim", "you", 5_000)).toBe("taken");
  });

  test("without end costs neither for ever nor more than the budget", async () => {
    const ports: number[] = [];
    await using world = await startServers(2, (server, slot) => `MOVED ${slot} localhost:${ports[1 - server]}`);
    ports.push(...world.ports);
    const startedMs = performance.now();
    expect(await world.store.read("key")).toMatchObject({ kind: "unavailable", failure: { reason: "clusterdown" } });
    expect(performance.now() - startedMs).toBeLessThan(300);
    expect(count(world.servers[0], "GET") + count(world.servers[1], "GET")).toBeLessThanOrEqual(6);
  });

  test("to a server that is gone does not lose the way: the configured one is asked again", async () => {
    const ports: number[] = [];
    let failedOver = false;
    await using world = await startServers(3, (server, slot) =>
      server === 0 ? `MOVED ${slot} localhost:${ports[failedOver ? 2 : 1]}` : undefined,
    );
    ports.push(...world.ports);
    expect(await world.store.write("key", "value", 60)).toBeTrue();
    await world.servers[1]?.[Symbol.asyncDispose]();
    failedOver = true;
    await world.events.until((event) => event.kind === "state" && event.state === "down");
    expect(await world.store.write("key", "value", 60)).toBeTrue();
    expect(world.servers[2]?.entries.has("key")).toBeTrue();
    await world.events.until((event) => event.kind === "forgotten", "past");
    expect(world.store.status().servers).toHaveLength(2);
  });

  test("of every slot away from a server lets that one go", async () => {
    const ports: number[] = [];
    let owner = 1;
    await using world = await startServers(3, (server, slot) =>
      server === owner ? undefined : `MOVED ${slot} localhost:${ports[owner]}`,
    );
    ports.push(...world.ports);
    await world.store.write("key", "value", 60);
    owner = 2;
    await world.store.write("key", "value", 60);
    expect(world.events.all.filter(({ kind }) => kind === "forgotten")).toEqual([
      { kind: "forgotten", server: `localhost:${ports[1]}` },
    ]);
    expect(world.store.status().servers).toHaveLength(2);
  });
});

describe("ASK", () => {
  test("is followed for the one command, each of them announced by ASKING, and not remembered", async () => {
    const ports: number[] = [];
    await using world = await startServers(2, (server, slot, asked) => {
      if (server === 0) return `ASK ${slot} localhost:${ports[1]}`;
      return asked ? undefined : `MOVED ${slot} localhost:${ports[0]}`;
    });
    ports.push(...world.ports);
    expect(await world.store.write("key", "value", 60)).toBeTrue();
    const read = await world.store.read("key");
    expect(read).toMatchObject({ kind: "hit", value: Buffer.from("value") });
    expect(count(world.servers[0], "GET")).toBe(1);
    expect(count(world.servers[1], "ASKING")).toBe(3);
  });
});

test("a replica in the primary's place is left for whoever has the name now, and the reason is told", async () => {
  let readonly = true;
  await using world = await startServers(1, (_server, slot) =>
    readonly && slot < SLOT_COUNT ? "READONLY You can't write against a read only replica." : undefined,
  );
  const down = world.events.untilState("down readonly");
  expect(await world.store.write("key", "value", 60)).toBeFalse();
  await down;
  readonly = false;
  await world.events.untilState("up");
  expect(await world.store.write("key", "value", 60)).toBeTrue();
  expect(world.servers[0]?.connected).toBe(2);
});
