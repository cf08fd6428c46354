import { beforeAll, describe, expect, test } from "bun:test";
import { createClearForm, type EntryForm } from "../../../src/cache/entry-form.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { orderPurge } from "../../../src/purge/order-purge.ts";
import { readMarker } from "../../../src/purge/watch.ts";
import type { OutputLine } from "../../support/bridge.ts";
import { PROGRAMS, runProgram } from "../../support/program.ts";
import { startFleet, type Fleet, type TestWorld } from "../../support/world.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import {
  APP_PASSWORD,
  APP_USER,
  DOCUMENTED_ACCESS,
  ENGINES,
  installRealServers,
  startRealServer,
  type RealServer,
} from "../../support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../support/valkey/service-access.ts";
import { openStore } from "../../support/valkey/store.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("fleet", ["localhost"]);

beforeAll(installRealServers, 300_000);

const inUse = ({ bridge }: TestWorld) => bridge.waitFor(({ message }) => message === "valkey: in use");
const hears = (world: TestWorld, message: string) => world.bridge.waitFor((line) => line["message"] === message);
const REVOKED = "purged tokens were taken back at GitHub";

function two({ worlds: [one, other] }: Fleet): readonly [TestWorld, TestWorld] {
  if (one === undefined || other === undefined) throw new Error("two at least");
  return [one, other];
}

/** The only entry whose key holds `name`. */
function entryOf(server: RealServer, name: string): readonly [string, string] {
  const keys = server.admin("--raw", "keys", `*${name}*`).split("\n");
  const [key = ""] = keys;
  expect(keys).toHaveLength(1);
  return [key, server.admin("--raw", "get", key)];
}

const FORMS = [
  ["source", PROGRAMS[0][1]],
  ["binary", PROGRAMS[1][1]],
] as const;

describe.each(FORMS)("purge of the %s, with two instances of it on a real server", (form, program) => {
  const purge = async (fleet: Fleet, ...argv: readonly string[]) => {
    const ran = await runProgram(program, ["purge", ...argv], { environment: fleet.environment });
    expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: "" });
    return ran.out;
  };

  test("of a pipeline: both stop serving, the token ends at GitHub, its old ciphertext is a miss, others are left alone", async () => {
    await using server = await startRealServer({ engine: "valkey", authority, certificate });
    using keyset = writeKeysetFile();
    await using fleet = await startFleet(2, { ...valkeyVariables(server, authority), ...keyset.variables }, { form });
    const [one, other] = two(fleet);
    const { github } = fleet.simulator;
    await Promise.all([one, other].map(inUse));
    const leaked = (await one.ask("/token")).json;
    const innocent = (await one.ask("/token", { jwt: one.jwt({}, "gadget") })).json;
    expect((await other.ask("/token")).json.token).toBe(leaked.token);
    const [key, ciphertext] = entryOf(server, "/widget/");
    const id = key.split("/").at(-4) ?? "";

    const startedMs = performance.now();
    const told = JSON.parse(await purge(fleet, "--pipeline", id, "--format", "json"));
    expect(told).toMatchObject({ scope: { kind: "pipeline", pipelineId: id }, encrypted: true, keyPrefix: "" });
    const lines = await Promise.all([one, other].map((world) => hears(world, "purge noticed")));
    expect(performance.now() - startedMs).toBeLessThan(12_000);
    expect(lines.map(({ dropped }) => dropped)).toEqual([1, 1]);
    await Promise.all([one, other].map((world) => hears(world, REVOKED)));
    expect({ leaked: github.isLive(leaked.token), innocent: github.isLive(innocent.token) }).toEqual({
      leaked: false,
      innocent: true,
    });

    for (const world of [one, other]) {
      const { status, json } = await world.ask("/token");
      expect({ status, isLive: github.isLive(json.token) }).toEqual({ status: 200, isLive: true });
    }
    const untouched = await one.ask("/token", { jwt: one.jwt({}, "gadget") });
    expect(untouched.audit["token"]).toMatchObject({ source: "memory", hashedToken: innocent.hashedToken });

    const revocations = [one, other].flatMap(({ bridge }) =>
      bridge.audit.filter(({ message }) => message === "revoke_event"),
    );
    expect(revocations.map((line) => line["token"].hashedToken)).toEqual([leaked.hashedToken, leaked.hashedToken]);
    // Both hold it, and ask at about the same time.
    const outcomes = new Set(revocations.map((line) => line["outcome"]));
    expect(outcomes).toContain("revoked");
    expect(outcomes.difference(new Set(["revoked", "already-invalid"]))).toEqual(new Set());
    expect(revocations[0]).toMatchObject({
      type: "audit",
      level: "audit",
      token: {
        requestedProfile: expect.stringContaining(`/pipeline/${id}/widget/profile/default`),
        applicationID: 111,
      },
    });

    // Somebody who kept the ciphertext puts it back, for an instance that was not there at the time.
    server.admin("set", key, ciphertext, "EX", "2000");
    const late = await fleet.join();
    await inUse(late);
    const asked = await late.ask("/token");
    expect({ status: asked.status, source: asked.audit["token"].source }).toEqual({ status: 200, source: "github" });
    expect(asked.json.token).not.toBe(leaked.token);
    expect((await hears(late, "cache entry not used"))["why"]).toBe("purged");
    for (const { bridge } of [one, other, late]) expect(bridge.output()).not.toContain(leaked.token);
  }, 120_000);

  test("of everything, said in words; a service without a marker asks nothing of it for a hit", async () => {
    await using server = await startRealServer({ engine: "valkey", authority, certificate });
    await using fleet = await startFleet(2, valkeyVariables(server, authority), { form });
    const [one, other] = two(fleet);
    await Promise.all([one, other].map(inUse));
    const held = [(await one.ask("/token")).json, (await one.ask("/token", { jwt: one.jwt({}, "gadget") })).json];
    const gets = (): number => Number(/cmdstat_get:calls=(\d+)/.exec(server.admin("info", "commandstats"))?.[1]);
    const before = gets();
    const hits: OutputLine[] = [];
    for (let count = 0; count < 200; count++) hits.push((await one.ask("/token")).audit);
    expect(new Set(hits.map(({ token }) => token.source))).toEqual(new Set(["memory"]));
    // One look of each instance at the marker every ten seconds, whatever the load.
    expect(gets() - before).toBeLessThan(10);

    const out = await purge(fleet, "--all");
    expect(out).toMatch(/^Purged: tokens that GitHub made before \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\.\n/);
    expect(out).toContain("as it is configured here (entries in clear, no key prefix)");
    expect(out).toContain("suspending the App's installation at GitHub is the full stop");
    await Promise.all([one, other].map((world) => hears(world, "purge noticed")));
    await hears(one, REVOKED);
    expect(held.map(({ token }) => fleet.simulator.github.isLive(token))).toEqual([false, false]);
  }, 120_000);

  test("ends with 1 when the server refuses, and says that nothing was purged", async () => {
    await using server = await startRealServer({ engine: "valkey", authority, certificate });
    const environment = { ...valkeyVariables(server, authority), VALKEY_PASSWORD: "another" };
    const { code, out, err } = await runProgram(program, ["purge", "--all"], { environment });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("valkey: wrongpass");
    expect(err).toContain("nothing was purged");
    expect(err).not.toContain("another");
  }, 60_000);
});

describe.each(ENGINES)("the marker in %s", (engine) => {
  test.each([
    ["the documented permissions", "", DOCUMENTED_ACCESS],
    ["permissions for one prefix", "blue:", DOCUMENTED_ACCESS.replace("~*", "~blue:*")],
  ])(
    "is written and read with %s",
    async (_what, prefix, access) => {
      await using server = await startRealServer({ engine, authority, certificate, access });
      await using opened = openStore(server.port, {
        tls: { extraCa: authority.ca },
        credentials: () => Promise.resolve({ username: APP_USER, password: APP_PASSWORD }),
      });
      const form: EntryForm = createClearForm(prefix);
      const made = {
        id: crypto.randomUUID(),
        scope: { kind: "all" },
        issuedBeforeEpochSeconds: 1_900_000_000,
      } as const;
      await opened.store.firstStatus();
      const order = () =>
        orderPurge(made, { store: opened.store, form, clock: systemClock, owner: crypto.randomUUID() });
      expect(await order()).toEqual({ kind: "ordered" });
      expect(await readMarker(opened.store, form)).toEqual({ kind: "marker", purges: [made] });
      expect(Number(server.admin("ttl", `${prefix}tokens:purged`))).toBeWithin(7_100, 7_201);
      expect(server.admin("exists", `${prefix}tokens:purged:claim`)).toBe("0");
      expect(opened.events.count("command-refused")).toBe(0);
      expect(server.admin("acl", "log")).toBe("");
    },
    30_000,
  );
});
