import { beforeAll, describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../../src/simulator/default-world.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { ENGINES, installRealServers, startRealServer, type RealServer } from "../../support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../support/valkey/service-access.ts";
import { startFleet, type TestWorld } from "../../support/world.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("swapped", ["localhost"]);

beforeAll(installRealServers, 300_000);

/** One request for each entry: pipelines' and organizations' profiles, two of one profile by repository among them. */
const REQUESTS = [
  { path: "/token", pipeline: "widget" },
  { path: "/token", pipeline: "gadget" },
  { path: "/token/release-publisher", pipeline: "widget" },
  { path: "/organization/token/plugins", pipeline: "widget" },
  { path: "/organization/token/everything", pipeline: "widget" },
  { path: "/organization/token/any-one-repository?repository-scope=gadget", pipeline: "widget" },
  { path: "/organization/token/any-one-repository?repository-scope=plugins", pipeline: "widget" },
] as const;

async function askAll(world: TestWorld) {
  const answers = [];
  for (const { path, pipeline } of REQUESTS) answers.push(await world.ask(path, { jwt: world.jwt({}, pipeline) }));
  expect(answers.map(({ status }) => status)).toEqual(REQUESTS.map(() => 200));
  return answers.map(({ json, audit }) => ({ token: String(json.token), source: String(audit["token"].source) }));
}

/** Entries are stored behind the reply. */
async function storedKeys(server: RealServer): Promise<readonly string[]> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const keys = server.admin("--raw", "keys", "enc:*").split("\n");
    const entries = keys.filter((key) => key !== "" && !key.endsWith(":claim")).toSorted();
    if (entries.length === REQUESTS.length) return entries;
    await Bun.sleep(20);
  }
  throw new Error("not every entry is stored");
}

// Whoever can write to the server must not be able to hand one job's token to another.
describe.each(ENGINES)("sealed entries in %s", (engine) => {
  test("each is a miss under the name of each other one, and of use under its own", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    using keyset = writeKeysetFile();
    const variables = { ...valkeyVariables(server, authority), ...keyset.variables };
    const start = () => startFleet(1, variables, { form: "binary", policy: DEFAULT_POLICY });
    const withFresh = async <T>(work: (world: TestWorld) => Promise<T>): Promise<T> => {
      await using fleet = await start();
      const [world] = fleet.worlds;
      if (world === undefined) throw new Error("a fleet of one has one");
      await world.bridge.waitFor(({ message }) => message === "valkey: in use");
      return await work(world);
    };
    const made = await withFresh(askAll);
    const keys = await storedKeys(server);
    const values = keys.map((key) => server.admin("--raw", "get", key));
    const put = (shift: number): void =>
      keys.forEach((key, at) => server.admin("set", key, values[(at + shift) % keys.length] ?? "", "ex", "2000"));

    put(0);
    const own = await withFresh(askAll);
    expect(own).toEqual(made.map(({ token }) => ({ token, source: "valkey" })));
    let pairs = 0;
    for (let shift = 1; shift < keys.length; shift++) {
      put(shift);
      await withFresh(async (world) => {
        const answers = await askAll(world);
        expect(answers.map(({ source }) => source)).toEqual(REQUESTS.map(() => "github"));
        expect(new Set([...answers, ...made].map(({ token }) => token)).size).toBe(2 * REQUESTS.length);
        const line = await world.bridge.waitFor(({ message }) => message === "cache entry not used");
        expect(line["why"]).toBe("not-decryptable");
      });
      pairs += keys.length;
    }
    console.log(`${engine}: ${pairs} pairs of entries swapped, ${pairs} misses`);
    expect(pairs).toBe(keys.length * (keys.length - 1));
  }, 120_000);
});
