import { describe, expect, test } from "bun:test";
import { type MemoryServerOptions, SILENCE, startMemoryServer } from "../../support/valkey/memory-server.ts";
import { openStore } from "../../support/valkey/store.ts";

async function connected(options: MemoryServerOptions = {}) {
  const server = await startMemoryServer(options);
  const { store, events } = openStore(server.port);
  await store.firstStatus();
  return {
    server,
    store,
    events,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("reading and writing", () => {
  test("a value comes back as the bytes that were stored, with its time to live", async () => {
    await using world = await connected();
    expect(await world.store.write("key", "cb-enc:ÄÖ", 60)).toBeTrue();
    const read = await world.store.read("key");
    if (read.kind !== "hit") throw new Error(read.kind);
    expect(Buffer.from(read.value).toString()).toBe("cb-enc:ÄÖ");
    expect(read.ttlMs).toBeWithin(59_000, 60_001);
    expect(world.server.commands.filter(([name]) => name === "SET")).toEqual([["SET", "key", "cb-enc:ÄÖ", "EX", "60"]]);
  });

  test("bytes that are no text come back unmended", async () => {
    await using world = await connected();
    world.server.entries.set("key", { value: Buffer.from([0xff, 0x00, 0xc3]), expiresAtMs: undefined });
    expect(await world.store.read("key")).toEqual({ kind: "hit", value: Buffer.from([0xff, 0x00, 0xc3]) });
  });

  test("a value and its time to live are asked for in one round trip", async () => {
    const seen: string[] = [];
    await using world = await connected({
      // PTTL is answered only when GET has arrived as well, which would never happen with two round trips.
      answer: ([name = ""], { socket }) => {
        seen.push(name);
        if (name === "PTTL") return SILENCE;
        if (name !== "GET") return undefined;
        socket.write(":500\r\n");
        return "value";
      },
    });
    expect(await world.store.read("key")).toEqual({ kind: "hit", value: Buffer.from("value"), ttlMs: 500 });
    expect(seen.slice(-2)).toEqual(["PTTL", "GET"]);
  });

  test("an absent key is a miss, and so is one that went between the two answers", async () => {
    const answers: Record<string, string> = {};
    await using world = await connected({
      answer: ([name = ""]) => (name in answers ? { raw: answers[name] ?? "" } : undefined),
    });
    expect(await world.store.read("absent")).toEqual({ kind: "miss" });
    answers["PTTL"] = ":-2";
    answers["GET"] = "$1\r\nx";
    expect(await world.store.read("came")).toEqual({ kind: "miss" });
    answers["PTTL"] = ":0";
    expect(await world.store.read("goes")).toEqual({ kind: "miss" });
  });

  test("a key of another type is told apart, and is not reported as a fault of the server", async () => {
    const WRONGTYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    await using world = await connected({ answer: ([name]) => (name === "GET" ? { raw: WRONGTYPE } : undefined) });
    expect(await world.store.read("list")).toEqual({ kind: "wrong-type" });
    expect(world.events.count("command-refused")).toBe(0);
  });

  test("remove() deletes", async () => {
    await using world = await connected();
    await world.store.write("key", "value", 60);
    expect(await world.store.remove("key")).toBeTrue();
    expect(await world.store.remove("key")).toBeTrue();
    expect(world.server.entries.size).toBe(0);
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])("a life of %p seconds is a mistake of the caller", async (ttl) => {
    await using world = await connected();
    expect(await world.store.write("key", "value", ttl).catch((error: unknown) => error)).toBeInstanceOf(TypeError);
  });

  test("a refused command is unavailable, told once with the reason, and once more when it works again", async () => {
    let allowed = false;
    await using world = await connected({
      answer: ([name]) => (name === "SET" && !allowed ? { raw: "-NOPERM User bridge has no permissions" } : undefined),
    });
    for (let time = 0; time < 5; time++) expect(await world.store.write("key", "value", 60)).toBeFalse();
    allowed = true;
    for (let time = 0; time < 5; time++) expect(await world.store.write("key", "value", 60)).toBeTrue();
    const told = world.events.all.filter(({ kind }) => kind.startsWith("command-"));
    expect(told).toMatchObject([
      { kind: "command-refused", command: "SET", failure: { reason: "noperm" } },
      { kind: "command-accepted", command: "SET" },
    ]);
    expect(world.events.states()).toEqual(["up"]);
  });
});

describe("claims", () => {
  test("one of many wins, and the winner is told so again when it asks again", async () => {
    await using world = await connected();
    const owners = Array.from({ length: 20 }, (_none, index) => `owner ${index}`);
    const outcomes = await Promise.all(owners.map((owner) => world.store.claim("claim", owner, 5_000)));
    expect(outcomes.filter((outcome) => outcome === "won")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "taken")).toHaveLength(19);
    expect(await world.store.claim("claim", owners[outcomes.indexOf("won")] ?? "", 5_000)).toBe("won");
  });

  test("a claim whose answer was lost with the connection is still won", async () => {
    let cut = false;
    await using world = await connected({
      answer: ([name, key, value], { socket }) => {
        if (name !== "SET" || cut) return undefined;
        cut = true;
        world.server.entries.set(key ?? "", { value: Buffer.from(value ?? ""), expiresAtMs: Date.now() + 5_000 });
        socket.destroy();
        return SILENCE;
      },
    });
    expect(await world.store.claim("claim", "mine", 5_000)).toBe("won");
    expect(await world.store.claim("claim", "another", 5_000)).toBe("taken");
  });
});

describe("time", () => {
  test("a server that answers nothing costs a request its budget once, over all of its commands", async () => {
    await using world = await connected();
    world.server.pause();
    const budget = world.store.budget();
    const startedMs = performance.now();
    expect(await world.store.read("key", budget)).toMatchObject({ kind: "unavailable", failure: { reason: "slow" } });
    expect(await world.store.claim("claim", "me", 5_000, budget)).toBe("unavailable");
    expect(await world.store.write("key", "value", 60, budget)).toBeFalse();
    expect(performance.now() - startedMs).toBeWithin(230, 330);
    expect(budget.leftMs).toBe(0);
  });

  test("a server that answers nothing soon costs nothing, and is used again when it answers", async () => {
    await using world = await connected();
    world.server.pause();
    for (let request = 0; request < 3; request++) await world.store.read("key");
    expect(world.events.states()).toEqual(["up", "slow slow"]);
    const startedMs = performance.now();
    for (let request = 0; request < 100; request++) expect((await world.store.read("key")).kind).toBe("unavailable");
    expect(performance.now() - startedMs).toBeLessThan(50);
    expect(world.store.status()).toMatchObject({ state: "slow", failure: { reason: "slow" } });
    const back = world.events.untilState("up");
    world.server.resume();
    await back;
    expect((await world.store.read("key")).kind).toBe("miss");
  });

  test("a store that is not reached yet is waited for within the budget only", async () => {
    await using server = await startMemoryServer({ answer: () => SILENCE });
    await using world = openStore(server.port);
    const startedMs = performance.now();
    expect((await world.store.read("key")).kind).toBe("unavailable");
    expect(performance.now() - startedMs).toBeWithin(230, 330);
  });

  test("a connection that is cut in the middle of a command costs neither the command nor a state", async () => {
    let cuts = 3;
    await using world = await connected({
      answer: ([name], { socket }) => {
        if (name !== "GET" || cuts === 0) return undefined;
        cuts -= 1;
        socket.destroy();
        return SILENCE;
      },
    });
    await world.store.write("key", "value", 60);
    // More than a request has: it connects three times, which takes a busy machine longer.
    expect((await world.store.read("key", { leftMs: 5000 })).kind).toBe("hit");
    expect(world.events.states()).toEqual(["up"]);
    expect(world.events.count("connection-lost")).toBe(3);
  });
});

describe("the end", () => {
  test("after disposal every method answers at once and nothing connects again", async () => {
    const world = await connected();
    await world.store[Symbol.asyncDispose]();
    expect((await world.store.read("key")).kind).toBe("unavailable");
    expect(await world.store.write("key", "value", 1)).toBeFalse();
    expect(world.server.connected).toBe(1);
    await world[Symbol.asyncDispose]();
  });
});
