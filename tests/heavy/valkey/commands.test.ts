import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { RedisClient } from "bun";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import {
  APP_PASSWORD,
  APP_USER,
  DOCUMENTED_ACCESS,
  ENGINES,
  installRealServers,
  type RealServer,
  startRealServer,
} from "../../support/valkey/real-server.ts";
import { openStore } from "../../support/valkey/store.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("server", ["localhost"]);
const trusting = { tls: { extraCa: authority.ca } };
const credentials = () => Promise.resolve({ username: APP_USER, password: APP_PASSWORD });
const COMMANDS = DOCUMENTED_ACCESS.split(" ").filter((word) => word.startsWith("+"));

beforeAll(installRealServers, 300_000);

describe.each(ENGINES)("%s with TLS and the documented permissions", (engine) => {
  let server: RealServer;
  beforeAll(async () => {
    server = await startRealServer({ engine, authority, certificate });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const open = () => openStore(server.port, { ...trusting, credentials });

  test("stores, reads with the time to live, removes", async () => {
    await using world = open();
    expect(await world.store.write("key with\r\nspaces and é", "välue", 60)).toBeTrue();
    const read = await world.store.read("key with\r\nspaces and é");
    if (read.kind !== "hit") throw new Error(read.kind);
    expect(Buffer.from(read.value).toString()).toBe("välue");
    expect(read.ttlMs).toBeWithin(58_000, 60_001);
    expect(await world.store.remove("key with\r\nspaces and é")).toBeTrue();
    expect(await world.store.read("key with\r\nspaces and é")).toEqual({ kind: "miss" });
  });

  test("tells keys without expiry and keys of other types apart", async () => {
    await using world = open();
    server.admin("set", "for-ever", "value");
    server.admin("rpush", "list", "value");
    expect(await world.store.read("for-ever")).toEqual({ kind: "hit", value: Buffer.from("value") });
    expect(await world.store.read("list")).toEqual({ kind: "wrong-type" });
    expect(world.events.count("command-refused")).toBe(0);
  });

  test("a claim is held by one, given back by its owner only, and ends by itself", async () => {
    await using world = open();
    const { store } = world;
    expect(await store.claim("claim", "one", 5_000)).toBe("won");
    expect(await store.claim("claim", "two", 5_000)).toBe("taken");
    await store.release("claim", "two");
    expect(await store.claim("claim", "two", 5_000)).toBe("taken");
    await store.release("claim", "one");
    expect(await store.claim("claim", "two", 40)).toBe("won");
    await Bun.sleep(60);
    expect(await store.claim("claim", "three", 5_000)).toBe("won");
    await store.release("claim", "three");
    await store.release("claim", "three");
    expect(server.admin("exists", "claim")).toBe("0");
  });

  test("many claims are given back at once, each its own", async () => {
    await using world = open();
    const names = Array.from({ length: 50 }, (_none, index) => `claims:${index}`);
    await Promise.all(names.map((name) => world.store.claim(name, `owner of ${name}`, 5_000)));
    await Promise.all(names.map((name, index) => world.store.release(name, index < 25 ? `owner of ${name}` : "thief")));
    expect(server.admin("keys", "claims:*").split("\n")).toHaveLength(25);
  });

  test("a release is void when the claim has changed hands between its two steps", async () => {
    await using world = open();
    const rival = new RedisClient(`rediss://:the-administrator@localhost:${server.port}`, {
      tls: { ca: authority.ca },
    });
    const finished = new AbortController();
    const releases = (async () => {
      while (!finished.signal.aborted) await world.store.release("contested", "first");
    })();
    for (let round = 0; round < 1_000; round++) {
      await rival.set("contested", "first");
      await rival.set("contested", "second");
      await rival.ping();
      expect(await rival.get("contested")).toBe("second");
    }
    finished.abort();
    await releases;
    rival.close();
  }, 30_000);

  test("every documented command is needed, and nothing beyond them", async () => {
    await using world = open();
    const exercise = async () => {
      const { store } = world;
      await store.write("key", "value", 60);
      await store.read("key");
      await store.remove("key");
      await store.claim("claim", "me", 5_000);
      await store.release("claim", "you");
      await store.release("claim", "me");
    };
    await exercise();
    expect(world.events.count("command-refused")).toBe(0);
    expect(server.admin("acl", "log")).toBe("");
    const atTheDoor = new Set(["+hello", "+auth", "+ping", "+asking"]);
    for (const command of COMMANDS.filter((name) => !atTheDoor.has(name))) {
      const refused = world.events.count("command-refused");
      server.admin("acl", "setuser", APP_USER, command.replace("+", "-"));
      await exercise();
      expect({ command, refused: world.events.count("command-refused") > refused }).toEqual({ command, refused: true });
      server.admin("acl", "setuser", APP_USER, command);
      await exercise();
    }
  });

  test("an outsider's password is refused with the reason, and works as soon as the server accepts it", async () => {
    await using world = openStore(server.port, {
      ...trusting,
      credentials: async () => ({ username: "late", password: "pw" }),
    });
    expect(await world.store.firstStatus()).toMatchObject({ state: "down", failure: { reason: "wrongpass" } });
    const up = world.events.untilState("up");
    server.admin("acl", "setuser", "late", "on", ">pw", ...DOCUMENTED_ACCESS.split(" "));
    await up;
    expect((await world.store.read("key")).kind).not.toBe("unavailable");
  });

  test("a key pattern that does not allow our keys is told as noperm", async () => {
    server.admin("acl", "setuser", "narrow", "on", ">pw", ...DOCUMENTED_ACCESS.replace("~*", "~other:*").split(" "));
    await using world = openStore(server.port, {
      ...trusting,
      credentials: async () => ({ username: "narrow", password: "pw" }),
    });
    expect(await world.store.read("key")).toMatchObject({ kind: "unavailable", failure: { reason: "noperm" } });
    expect((await world.store.read("other:key")).kind).toBe("miss");
    expect(world.events.count("command-refused")).toBe(2);
  });
});
