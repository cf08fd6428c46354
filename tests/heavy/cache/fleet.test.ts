import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fleet, TestWorld } from "../../support/world.ts";
import { startFleet, startWorld } from "../../support/world.ts";
import { rejection } from "../../support/rejection.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { IAM_USER, startIamServer } from "../../support/valkey/iam.ts";
import {
  DOCUMENTED_ACCESS,
  freePort,
  ENGINES,
  installRealServers,
  startRealServer,
} from "../../support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../support/valkey/service-access.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("fleet", ["localhost"]);

const brokenCertificate = join(authority.folder, "broken.crt");
writeFileSync(brokenCertificate, authority.ca.replace(/[A-Za-z0-9+/=\n]{64,}(?=\n-)/, "\nAAAA"));

const BINARY = { form: "binary" } as const;

beforeAll(installRealServers, 300_000);

const minted = ({ simulator }: Pick<Fleet, "simulator">): number =>
  simulator.journal.entries({ method: "POST", path: /access_tokens$/ }).length;

function at(fleet: Fleet, index: number): TestWorld {
  const world = fleet.worlds[index];
  if (world === undefined) throw new Error("no such instance");
  return world;
}

const inUse = (world: TestWorld) => world.bridge.waitFor((line) => line["message"] === "valkey: in use");

describe.each(ENGINES)("two instances that share %s", (engine) => {
  test.each([
    ["in clear", "the source", { isSealed: false, form: "source" }],
    ["in clear", "the binary", { isSealed: false, form: "binary" }],
    ["sealed", "the source", { isSealed: true, form: "source" }],
    ["sealed", "the binary", { isSealed: true, form: "binary" }],
  ] as const)(
    "make one token for 80 concurrent cold requests, %s, %s",
    async (_how, _form, { isSealed, form }) => {
      await using server = await startRealServer({ engine, authority, certificate });
      using keyset = writeKeysetFile();
      const variables = { ...valkeyVariables(server, authority), ...(isSealed ? keyset.variables : {}) };
      await using fleet = await startFleet(2, variables, { form });
      await Promise.all(fleet.worlds.map(inUse));
      const answers = await Promise.all(
        fleet.worlds.flatMap((world) => Array.from({ length: 40 }, () => world.ask("/token"))),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(80);
      expect(new Set(answers.map(({ json }) => json.token)).size).toBe(1);
      expect(minted(fleet)).toBe(1);
      const sources = answers.map(({ audit }) => audit["token"].source);
      expect(new Set(sources)).toContain("valkey");
      const later = await at(fleet, 1).ask("/token");
      expect(later.audit["token"].source).toBe("memory");
    },
    60_000,
  );

  test("store what the contract says, and nothing readable when it is sealed", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    using keyset = writeKeysetFile();
    const access = { ...valkeyVariables(server, authority), CACHE_KEY_PREFIX: "blue:" };
    await using clear = await startWorld(access, BINARY);
    await using sealed = await startWorld({ ...access, ...keyset.variables }, BINARY);
    await Promise.all([clear, sealed].map(inUse));
    const { json } = await clear.ask("/token");
    const secret = (await sealed.ask("/token")).json.token;
    const id = clear.simulator.world.buildkite.organizations[0]?.pipelines.find(({ slug }) => slug === "widget")?.id;
    const key = `default-profile:v1:111:222:profile://organization/acme/pipeline/${id}/widget/profile/default`;
    const keys = server.admin("--raw", "keys", "*").split("\n").toSorted();
    expect(keys).toEqual([`blue:${key}`, `blue:enc:${key}`].toSorted());
    const { app, token, hashedToken, expiry, ...rest } = json;
    expect(JSON.parse(server.admin("--raw", "get", `blue:${key}`))).toEqual({
      ...rest,
      app,
      appId: 111,
      installationId: 222,
      token,
      hashedToken,
      expiry,
    });
    const stored = server.admin("--raw", "get", `blue:enc:${key}`);
    expect(stored).toStartWith("cb-enc:");
    expect(stored).not.toContain(secret);
    expect(Number(server.admin("ttl", `blue:${key}`))).toBeWithin(2600, 2701);
  }, 60_000);

  test("treat the other pipeline's sealed entry, and what is no entry, as misses", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    using keyset = writeKeysetFile();
    const access = { ...valkeyVariables(server, authority), ...keyset.variables };
    await using fleet = await startFleet(2, access, BINARY);
    await Promise.all(fleet.worlds.map(inUse));
    const [one, other] = [at(fleet, 0), at(fleet, 1)];
    await one.ask("/token");
    await one.ask("/token", { jwt: one.jwt({}, "gadget") });
    const keys = server.admin("--raw", "keys", "*").split("\n");
    const [first = "", second = ""] = keys;
    expect(keys).toHaveLength(2);
    server.admin("rename", first, "kept");
    server.admin("rename", second, first);
    server.admin("rename", "kept", second);
    const answers = [await other.ask("/token"), await other.ask("/token", { jwt: other.jwt({}, "gadget") })];
    expect(answers.map(({ audit }) => audit["token"].source)).toEqual(["github", "github"]);
    const line = await other.bridge.waitFor(({ message }) => message === "cache entry not used");
    expect(line["why"]).toBe("not-decryptable");
  }, 60_000);
});

describe("a Valkey that cannot be used", () => {
  test("keeps no instance from starting; it is said, and used when it comes", async () => {
    const port = await freePort();
    await using world = await startWorld(valkeyVariables({ port }, authority), BINARY);
    const down = await world.bridge.waitFor(({ message }) => String(message).startsWith("valkey: out of use"));
    expect(down["reason"]).toBe("refused");
    expect((await world.ask("/token")).audit["token"].source).toBe("github");
    const up = inUse(world);
    await using server = await startRealServer({ engine: "valkey", authority, certificate, port });
    await up;
    await world.ask("/token", { jwt: world.jwt({}, "gadget") });
    // The entry is stored behind the reply.
    for (let attempt = 0; attempt < 50 && server.admin("dbsize") === "0"; attempt++) await Bun.sleep(20);
    expect(server.admin("--raw", "keys", "*")).toEndWith("/gadget/profile/default");
  }, 60_000);

  test.each([
    ["a wrong password", "wrongpass", { VALKEY_PASSWORD: "another" }],
    ["an authority that is not known", "tls", { VALKEY_TLS_CA_FILE: undefined }],
    ["a name that nobody has", "dns", { VALKEY_ADDRESS: "no-such-host.invalid:6379" }],
    ["no TLS where the server has it", "closed", { VALKEY_TLS: "false" }],
  ] as const)(
    "%s is told as %s, once, and requests are served",
    async (_what, reason, variables) => {
      await using server = await startRealServer({ engine: "valkey", authority, certificate });
      await using world = await startWorld({ ...valkeyVariables(server, authority), ...variables }, BINARY);
      const line = await world.bridge.waitFor((one) => String(one["message"]).startsWith("valkey: out of use"));
      expect(line["reason"]).toBe(reason);
      for (let request = 0; request < 20; request++) expect((await world.ask("/token")).status).toBe(200);
      const told = world.bridge.lines.filter(({ message }) => String(message).startsWith("valkey:"));
      expect(told).toHaveLength(1);
      expect(world.bridge.output()).not.toMatch(/another|p@ss/);
    },
    60_000,
  );

  test.each([
    ["pttl", ["PTTL"]],
    ["get", ["GET"]],
    ["set", ["SET"]],
    ["del", ["DEL"]],
    ["watch", ["WATCH"]],
    ["exec", ["EXEC"]],
  ])(
    "a user who may not %s: the command is told by its name, once, and requests are served",
    async (name, commands) => {
      const access = DOCUMENTED_ACCESS.replace(` +${name}`, "");
      expect(access).not.toBe(DOCUMENTED_ACCESS);
      await using server = await startRealServer({ engine: "valkey", authority, certificate, access });
      await using world = await startWorld(valkeyVariables(server, authority), BINARY);
      await inUse(world);
      for (const slug of ["widget", "gadget", "plugins"]) {
        expect((await world.ask("/token", { jwt: world.jwt({}, slug) })).status).toBe(200);
      }
      await world.bridge.waitFor(({ message }) => message === "valkey: the server refuses a command");
      await Bun.sleep(200);
      const told = world.bridge.lines.filter(({ message }) => message === "valkey: the server refuses a command");
      expect(told.map(({ command, reason }) => ({ command, reason }))).toEqual(
        commands.map((command) => ({ command, reason: "noperm" })),
      );
    },
    60_000,
  );
});

describe("a service that logs in with IAM tokens", () => {
  test("shares tokens with a server that verifies them, and is told when AWS would refuse a name", async () => {
    await using server = await startIamServer(authority);
    const access = {
      CACHE_TYPE: "valkey",
      VALKEY_ADDRESS: `localhost:${server.port}`,
      VALKEY_TLS_CA_FILE: authority.caFile,
      VALKEY_IAM_ENABLED: "true",
      VALKEY_USERNAME: IAM_USER,
      VALKEY_IAM_CACHE_NAME: "My-Cache",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    };
    await using fleet = await startFleet(2, access, BINARY);
    await Promise.all(fleet.worlds.map(inUse));
    await at(fleet, 0).ask("/token");
    expect((await at(fleet, 1).ask("/token")).audit["token"].source).toBe("valkey");
    const refused = await rejection(
      startWorld({ ...access, VALKEY_IAM_CACHE_NAME: "my-cache.abc.use1.cache.amazonaws.com" }, BINARY),
    );
    expect(refused.message).toContain("VALKEY_IAM_CACHE_NAME is no name that AWS gives a cache");
    expect((await rejection(startWorld({ ...access, AWS_REGION: undefined }, BINARY))).message).toContain(
      "AWS_REGION is not set",
    );
  }, 60_000);
});

describe("a start that cannot work", () => {
  test.each([
    [
      "a keyset that is not there",
      { CACHE_ENCRYPTION_ENABLED: "true", CACHE_ENCRYPTION_KEYSET_FILE: "/no/such/keyset" },
      "keyset, step file: file /no/such/keyset is missing or empty",
    ],
    ["authorities that cannot be read", { VALKEY_TLS_CA_FILE: "/no/such/file" }, "VALKEY_TLS_CA_FILE cannot be read"],
    ["authorities that are broken", { VALKEY_TLS_CA_FILE: brokenCertificate }, "or one that is broken"],
  ])(
    "ends with one line: %s",
    async (_what, changes, line) => {
      const { message } = await rejection(
        startWorld({ ...valkeyVariables({ port: 1 }, authority), ...changes }, BINARY),
      );
      expect(message).toContain("ended with status 1");
      expect(message.split("\n").filter((one: string) => one.includes("did not start"))).toEqual([
        expect.stringContaining(line),
      ]);
    },
    40_000,
  );
});
