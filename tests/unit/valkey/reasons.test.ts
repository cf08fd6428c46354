import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { FailureReason } from "../../../src/valkey/failure.ts";
import type { SharedStoreOptions } from "../../../src/valkey/shared-store.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { type MemoryServerOptions, SILENCE, startMemoryServer } from "../../support/valkey/memory-server.ts";
import { openStore } from "../../support/valkey/store.ts";

const authority = createCertificateAuthority();
const another = createCertificateAuthority();
const good = authority.issue("good", ["localhost"]);
const trusting = { tls: { extraCa: authority.ca } };
const authenticate: MemoryServerOptions["authenticate"] = (user, given) =>
  user === "bridge" && given === "right" ? undefined : "wrong";

const hangUp: MemoryServerOptions["answer"] = (_command, { socket }) => {
  socket.destroy();
  return SILENCE;
};

interface Case {
  readonly server?: MemoryServerOptions;
  readonly store?: Partial<SharedStoreOptions>;
  readonly reason: FailureReason;
}

const REFUSED_AT_THE_DOOR: Readonly<Record<string, Case>> = {
  "a name that does not exist": { store: { address: { host: "no-such-host.invalid", port: 6379 } }, reason: "dns" },
  "a port that nobody listens on": { store: { address: { host: "127.0.0.1", port: 1 } }, reason: "refused" },
  "such a port with TLS": { store: { ...trusting, address: { host: "localhost", port: 1 } }, reason: "refused" },
  "a peer that accepts and says nothing": {
    server: { answer: () => SILENCE },
    store: { timing: { connectMs: 200 } },
    reason: "timeout",
  },
  "a wrong password": {
    server: { authenticate },
    store: { credentials: () => Promise.resolve({ username: "bridge", password: "wrong" }) },
    reason: "wrongpass",
  },
  "no password where one is asked for": { server: { authenticate }, reason: "noauth" },
  "a server that is loading": {
    server: {
      answer: ([name]) => (name === "HELLO" ? { raw: "-LOADING Redis is loading the dataset in memory" } : undefined),
    },
    reason: "loading",
  },
  "a server too old for HELLO": {
    server: { answer: ([name]) => (name === "HELLO" ? { raw: "-ERR unknown command 'HELLO'" } : undefined) },
    reason: "handshake",
  },
  "something that is no such server": {
    server: { answer: () => ({ raw: "HTTP/1.1 400 Bad Request" }) },
    reason: "protocol",
  },
  "credentials that cannot be had": {
    server: { authenticate },
    store: { credentials: () => Promise.reject(new Error("no endpoint")) },
    reason: "credentials",
  },
  "a credential source that throws": {
    store: {
      credentials: () => {
        throw new Error("at once");
      },
    },
    reason: "credentials",
  },
  "credentials that never come": {
    store: { credentials: () => new Promise(() => undefined), timing: { connectMs: 100 } },
    reason: "credentials",
  },
  "a certificate of an authority that is not trusted": {
    server: { tls: another.issue("other", ["localhost"]) },
    store: trusting,
    reason: "tls",
  },
  "a certificate for another name": {
    server: { tls: authority.issue("name", ["elsewhere.example"]) },
    store: trusting,
    reason: "tls",
  },
  "a certificate that has expired": {
    server: { tls: authority.issue("old", ["localhost"], -1) },
    store: trusting,
    reason: "tls",
  },
  "a server that knows TLS 1.1 at most": {
    server: { tls: { ...good, maxVersion: "TLSv1.1" } },
    store: trusting,
    reason: "tls",
  },
  "plain TCP where we want TLS": { server: {}, store: trusting, reason: "tls" },
  "a server that closes what is in clear": { server: { answer: hangUp }, reason: "closed" },
};

describe("the true reason is told, once, and attempts go on", () => {
  test.each(Object.entries(REFUSED_AT_THE_DOOR))(
    "%s",
    async (_title, { server: serverOptions, store: options, reason }) => {
      await using server = await startMemoryServer(serverOptions);
      await using world = openStore(server.port, options);
      const { state, failure } = await world.store.firstStatus();
      expect({ state, reason: failure?.reason }).toEqual({ state: "down", reason });
      expect(failure?.detail).toMatch(/^[\x20-\x7e]{3,200}$/);
      expect(await world.store.read("key")).toMatchObject({ kind: "unavailable", failure: { reason } });
      await Bun.sleep(150);
      expect(world.events.states()).toEqual([`down ${reason}`]);
    },
  );

  test("a server that closes a connection in clear may speak TLS", async () => {
    await using server = await startMemoryServer({ answer: hangUp });
    await using world = openStore(server.port);
    const { failure } = await world.store.firstStatus();
    expect(failure?.detail).toContain("as a server that speaks TLS does");
  });

  test("no password is in what is told", async () => {
    await using server = await startMemoryServer({ authenticate });
    const secret = "canary-9f8e7d";
    const credentials = () => Promise.resolve({ username: "bridge", password: secret });
    await using world = openStore(server.port, { credentials });
    await world.store.firstStatus();
    expect(JSON.stringify(world.events.all) + Bun.inspect(world.store.status(), { depth: 9 })).not.toContain(secret);
  });
});

describe("TLS", () => {
  test("a good certificate is accepted, on TLS 1.2 as well", async () => {
    for (const tls of [good, { ...good, maxVersion: "TLSv1.2" } as const]) {
      await using server = await startMemoryServer({ tls });
      await using world = openStore(server.port, trusting);
      expect(await world.store.firstStatus()).toMatchObject({ state: "up" });
    }
  });

  test("verification stays on whatever the environment says", async () => {
    await using server = await startMemoryServer({ tls: another.issue("liar", ["localhost"]) });
    const script = `
      import { openStore } from ${JSON.stringify(join(import.meta.dir, "../../support/valkey/store.ts"))};
      for (const extraCa of [undefined, ${JSON.stringify(authority.ca)}]) {
        const { store } = openStore(${server.port}, { tls: { extraCa } });
        console.log((await store.firstStatus()).failure?.reason);
      }
      process.exit(0);`;
    const environment = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const child = Bun.spawn([process.execPath, "-e", script], { env: environment, stdout: "pipe", stderr: "ignore" });
    expect(await new Response(child.stdout).text()).toBe("tls\ntls\n");
    expect(server.commands).toEqual([]);
  });

  test("authorities of NODE_EXTRA_CA_CERTS are trusted besides the configured ones", async () => {
    await using server = await startMemoryServer({ tls: another.issue("theirs", ["localhost"]) });
    const script = `
      import { openStore } from ${JSON.stringify(join(import.meta.dir, "../../support/valkey/store.ts"))};
      const { store } = openStore(${server.port}, { tls: { extraCa: ${JSON.stringify(authority.ca)} } });
      console.log((await store.firstStatus()).state);
      process.exit(0);`;
    const environment = { ...process.env, NODE_EXTRA_CA_CERTS: another.caFile };
    const child = Bun.spawn([process.execPath, "-e", script], { env: environment, stdout: "pipe", stderr: "ignore" });
    expect(await new Response(child.stdout).text()).toBe("up\n");
  });
});

describe("a store whose server is not there at the start", () => {
  test("says so, answers at once, and uses the server when it comes", async () => {
    let loading = true;
    await using server = await startMemoryServer({
      answer: ([name]) => (name === "HELLO" && loading ? { raw: "-LOADING Redis is loading" } : undefined),
    });
    await using world = openStore(server.port);
    await world.store.firstStatus();
    const startedMs = performance.now();
    expect((await world.store.read("key")).kind).toBe("unavailable");
    expect(performance.now() - startedMs).toBeLessThan(50);
    const up = world.events.untilState("up");
    loading = false;
    await up;
    expect(world.store.status()).toMatchObject({ state: "up", servers: [{ state: "up" }] });
    expect((await world.store.read("key")).kind).toBe("miss");
    expect(world.events.states()).toEqual(["down loading", "up"]);
  });
});
