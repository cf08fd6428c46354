import { describe, expect, test } from "bun:test";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { IAM_USER, iamCredentials, startIamServer } from "../../support/valkey/iam.ts";
import type { MemoryServerOptions } from "../../support/valkey/memory-server.ts";
import { openStore, pause, underLoad } from "../../support/valkey/store.ts";
import type { SharedStoreOptions } from "../../../src/valkey/shared-store.ts";

const authority = createCertificateAuthority();

async function connected(server: MemoryServerOptions = {}, store: Partial<SharedStoreOptions> = {}) {
  const front = await startIamServer(authority, server);
  const opened = openStore(front.port, { tls: { extraCa: authority.ca }, credentials: iamCredentials(), ...store });
  await opened.store.firstStatus();
  return {
    front,
    ...opened,
    [Symbol.asyncDispose]: async () => {
      await opened.store[Symbol.asyncDispose]();
      await front[Symbol.asyncDispose]();
    },
  };
}

describe("IAM tokens", () => {
  test("a token is signed for each connection", async () => {
    let signedAt = Date.now() - 60_000;
    const credentials = iamCredentials(() => new Date((signedAt += 1_000)));
    await using world = await connected({}, { credentials });
    for (let time = 0; time < 3; time++) {
      const lost = world.events.until(({ kind }) => kind === "connection-lost");
      world.front.cutAll();
      await lost;
      expect((await world.store.read("key")).kind).toBe("miss");
    }
    expect(new Set(world.front.accepted).size).toBe(4);
    expect(world.events.states()).toEqual(["up"]);
  });

  test.each([
    ["that has expired", { credentials: iamCredentials(() => new Date(Date.now() - 16 * 60_000)) }, {}, "expired"],
    [
      "for another user",
      { credentials: async () => ({ username: "another", password: (await iamCredentials()()).password }) },
      {},
      "another user",
    ],
    ["for another service", {}, { service: "memorydb" }, "another key, region or service"],
  ] as const)("a token %s is refused as a wrong password, which is told", async (_title, store, expected, problem) => {
    await using front = await startIamServer(authority, {}, expected);
    const options = { tls: { extraCa: authority.ca }, credentials: iamCredentials(), ...store };
    await using world = openStore(front.port, options);
    expect(await world.store.firstStatus()).toMatchObject({ state: "down", failure: { reason: "wrongpass" } });
    expect(front.rejected[0]).toBe(problem);
    expect(front.accepted).toEqual([]);
  });
});

describe("renewal", () => {
  test("happens on the live connection, in time and again and again", async () => {
    await using world = await connected({ cutAfterMs: 300 }, { renewAfterMs: 150 });
    for (let time = 0; time < 4; time++) await world.events.until(({ kind }) => kind === "credentials-renewed");
    expect(world.front.connected).toBe(1);
    expect(world.front.cuts).toBe(0);
    expect(world.front.accepted.length).toBeGreaterThanOrEqual(5);
    expect(world.events.all.find(({ kind }) => kind === "credentials-renewed")).toMatchObject({ by: "auth" });
  });

  test("falls between 85 and 100 percent of the time allowed", async () => {
    for (const [random, earliestMs] of [
      [0, 300],
      [0.999, 255],
    ] as const) {
      await using world = await connected({}, { renewAfterMs: 300, random: () => random });
      const startedMs = performance.now();
      await world.events.until(({ kind }) => kind === "credentials-renewed");
      expect(performance.now() - startedMs).toBeWithin(earliestMs - 20, earliestMs + 60);
    }
  });

  test("makes a connection before it breaks the old one where AUTH is refused on a live one, without a failed command", async () => {
    await using world = await connected(
      { cutAfterMs: 400, answer: ([name]) => (name === "AUTH" ? { raw: "-ERR not now" } : undefined) },
      { renewAfterMs: 200 },
    );
    const replaced = async () => {
      for (let time = 0; time < 5; time++) {
        const event = await world.events.until(({ kind }) => kind === "credentials-renewed");
        expect(event).toMatchObject({ by: "replacement" });
      }
    };
    const load = await underLoad(world.store, 8, replaced);
    expect({ failed: load.failed, unanswered: load.unanswered }).toEqual({ failed: 0, unanswered: 0 });
    expect(load.sent).toBeGreaterThan(100);
    expect(world.front.cuts).toBe(0);
    expect(world.events.count("connection-lost")).toBe(0);
    await pause(20);
    expect(world.front.open).toBe(1);
  });

  test("that cannot be had leaves the connection in use, is told once, and is tried again", async () => {
    let fails = false;
    let attempts = 0;
    const source = iamCredentials();
    const credentials = () => {
      attempts += 1;
      return fails ? Promise.reject(new Error("the endpoint is gone")) : source();
    };
    await using world = await connected({}, { credentials, renewAfterMs: 50, timing: { renewalRetryMs: 30 } });
    fails = true;
    await world.events.until(({ kind }) => kind === "renewal-failed");
    expect((await world.store.read("key")).kind).toBe("miss");
    const before = attempts;
    await pause(200);
    expect(attempts).toBeGreaterThan(before + 2);
    expect(world.events.count("renewal-failed")).toBe(1);
    const renewed = world.events.until(({ kind }) => kind === "credentials-renewed");
    fails = false;
    await renewed;
    expect(world.front.connected).toBe(1);
    expect(world.events.states()).toEqual(["up"]);
  });

  test("does not happen when no age is given", async () => {
    await using world = await connected();
    await pause(100);
    expect(world.front.accepted).toHaveLength(1);
    expect(world.front.accepted[0]).toContain(`User=${IAM_USER}`);
  });
});
