import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { POLICY_LOCATION } from "../../src/simulator/default-world.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { bridgeCommand, underTest } from "../support/bridge.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

const FROM_GITHUB = { GITHUB_ORG_PROFILE: POLICY_LOCATION };
const contentsReads = ({ simulator }: TestWorld) =>
  simulator.journal.entries({ upstream: "github", path: /\/contents\// }).map(({ status }) => status);

async function hangUp({ bridge }: TestWorld): Promise<void> {
  const before = bridge.lines.length;
  bridge.process.kill("SIGHUP");
  await bridge.waitFor(
    (line) => bridge.lines.indexOf(line) >= before && String(line["message"]).startsWith("profile refresh"),
  );
}

describe(`the policy from GitHub (${underTest})`, () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await startWorld(FROM_GITHUB);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test("is read with a token of its own, for its repository alone", () => {
    const [first] = world.simulator.journal.entries({ method: "POST", path: /access_tokens/ });
    expect(first?.body).toEqual({ permissions: { contents: "read", metadata: "read" }, repositories: ["policy"] });
  });

  test("SIGHUP refreshes it; unchanged, it costs no rate limit and caches stay warm", async () => {
    const { json } = await world.ask("/token");
    await hangUp(world);
    expect(contentsReads(world)).toEqual([200, 304]);
    const again = await world.ask("/token");
    expect(again.json.token).toBe(json.token);
    expect(again.audit["token"].source).toBe("memory");
  });

  test("changed, it takes effect and no token of the old generation is served", async () => {
    const before = await world.ask("/token");
    world.simulator.setPolicy(`pipeline: {defaults: {permissions: ["contents:write"]}}`);
    await hangUp(world);
    const after = await world.ask("/token");
    expect(after.json.permissions).toEqual(["contents:write", "metadata:read"]);
    expect(after.json.token).not.toBe(before.json.token);
    expect(after.audit["token"].profileDigest).not.toBe(before.audit["token"].profileDigest);
  });

  test.each([
    ["not YAML", "pipeline: ["],
    ["with an unknown key", "pipelines: {}"],
    ["with app under pipeline.defaults", `pipeline: {defaults: {permissions: ["contents:read"], app: packages}}`],
    ["that is gone", undefined],
  ])("a file %s leaves the generation in force untouched, and the log says so", async (_what, text) => {
    const before = await world.ask("/token");
    world.simulator.setPolicy(text);
    await hangUp(world);
    expect(world.bridge.lines.findLast((line) => String(line["message"]).startsWith("profile refresh"))).toMatchObject({
      level: "error",
      message: "profile refresh failed",
    });
    expect((await world.ask("/token")).json.token).toBe(before.json.token);
  });

  test("an invalid profile is unavailable, logged by name with every reason, and the others serve", async () => {
    world.simulator.setPolicy(`
pipeline:
  profiles:
    - name: good
      permissions: ["contents:read"]
    - name: bad
      permissions: ["contents:fly", "nothing:read"]
    - name: elsewhere
      app: packages
      permissions: ["contents:read"]
`);
    const before = world.bridge.lines.length;
    await hangUp(world);
    expect((await world.ask("/token/good")).status).toBe(200);
    const bad = await world.ask("/token/bad");
    expect({ status: bad.status, json: bad.json }).toEqual({
      status: 404,
      json: { error: "profile unavailable: validation failed" },
    });
    const elsewhere = await world.ask("/token/elsewhere");
    expect(elsewhere.status).toBe(404);
    expect(elsewhere.audit["error"]).toBe(
      `profile "elsewhere" unavailable: app "packages" is not a configured, enabled application`,
    );
    const logged = world.bridge.lines.slice(before).filter((line) => line["message"] === "profile unavailable");
    expect(logged.map((line) => [line["profile"], line["line"], line["reasons"].length])).toEqual([
      ["repo:bad", expect.any(Number), 2],
      ["repo:elsewhere", expect.any(Number), 1],
    ]);
  });
});

describe(`the start-up gate (${underTest})`, () => {
  test("the service does not listen before a policy is in force, and a signal ends the wait with status 1", async () => {
    await using simulator = await startSimulator();
    simulator.setPolicy(undefined);
    const port = await freePort();
    const child = Bun.spawn([...bridgeCommand(), "serve"], {
      env: { ...simulator.environment(), SERVER_PORT: String(port), SERVER_HOST: "127.0.0.1" },
      stdout: "pipe",
      stderr: "pipe",
    });
    for await (const chunk of child.stdout)
      if (new TextDecoder().decode(chunk).includes("profile refresh failed")) break;
    const refusal: unknown = await fetch(`http://127.0.0.1:${port}/healthcheck`).catch((error: unknown) => error);
    expect(String(refusal)).toContain("ECONNREFUSED");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stderr).text()).toMatch(
      /^told to stop before the service had a policy \[stopped-early\]; next: .*chinmina-bridge doctor.*\n$/,
    );
  });
});

test(`while it waits for its first policy, a closed standard output ends the service with one line (${underTest})`, async () => {
  await using simulator = await startSimulator();
  simulator.setPolicy(undefined);
  const child = Bun.spawn([...bridgeCommand(), "serve"], {
    env: { ...simulator.environment(), SERVER_PORT: "0", SERVER_HOST: "127.0.0.1" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  expect(await child.exited).toBe(1);
  expect(await new Response(child.stderr).text()).toBe(
    "standard output is closed: without audit lines no token may leave [output-closed]; next: start the service with a standard output that something reads, or look at why its reader ended\n",
  );
});

async function freePort(): Promise<number> {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  return server.port ?? 0;
}

describe(`the policy from disk (${underTest})`, () => {
  test("takes effect within two seconds of a change", async () => {
    const folder = await mkdtemp(join(tmpdir(), "policy-"));
    // The service may run as another user.
    await chmod(folder, 0o755);
    const file = join(folder, "profiles.yaml");
    await writeFile(file, `pipeline: {profiles: [{name: one, permissions: ["contents:read"]}]}`);
    await using world = await startWorld({ PROFILE_FILE: file });
    expect((await world.ask("/token/one")).status).toBe(200);
    await writeFile(file, `pipeline: {profiles: [{name: two, permissions: ["contents:read"]}]}`);
    await world.bridge.waitFor((line) => line["message"] === "profile refreshed" && line["trigger"] === "change");
    expect((await world.ask("/token/one")).status).toBe(404);
    expect((await world.ask("/token/two")).status).toBe(200);
    await rm(folder, { recursive: true });
  });
});

describe(`several Apps (${underTest})`, () => {
  test("a profile's App mints, replies and audit entries name it, and its cache is its own", async () => {
    await using world = await startWorld({
      ...FROM_GITHUB,
      DEV_DISCLOSE_APP_IDENTIFIERS: "true",
      ...(await registryOf()),
    });
    const { json, audit } = await world.ask("/token/package-reader");
    expect(json).toMatchObject({ app: "packages", appId: 333, installationId: 444 });
    expect(audit["token"]).toMatchObject({ app: "packages", applicationID: 333, installationID: 444 });
    expect((await world.ask("/token")).json).toMatchObject({ app: "default", appId: 111, installationId: 222 });
    const entries = world.bridge.lines.filter((line) => line["message"] === "github app registry entry");
    expect(entries.map((line) => [line["app"].name, line["app"].enabled, line["app"].organization])).toEqual([
      ["default", true, "acme"],
      ["packages", true, "acme"],
    ]);
    expect(world.bridge.output()).not.toContain("PRIVATE KEY");
  });

  test("when the default App's installation cannot be read, the start fails with one line", async () => {
    const failure = await startWorld({ ...(await registryOf()), GITHUB_APP_INSTALLATION_ID: "999" }).catch(String);
    expect(failure).toContain("the default App's installation cannot be read");
    expect(failure).toContain("status 1");
  });

  async function registryOf(): Promise<Record<string, string>> {
    const { simulator, ...world } = await startWorld();
    const { GITHUB_APPS = "" } = simulator.environment({ registry: true });
    await world[Symbol.asyncDispose]();
    return { GITHUB_APPS };
  }
});

describe(`the repository that holds the policy (${underTest})`, () => {
  const SCOPED_WRITE = `organization: {profiles: [{name: w, repositories: ["{{caller-scoped-repository}}"], permissions: ["contents:write"]}, {name: r, repositories: ["{{caller-scoped-repository}}"], permissions: ["contents:read"]}]}`;

  test.each(["policy", "POLICY"])("a caller-scoped profile that writes is never vended for it (%s)", async (name) => {
    await using world = await startWorld(FROM_GITHUB);
    world.simulator.setPolicy(SCOPED_WRITE);
    await hangUp(world);
    const { status, json } = await world.ask(`/organization/token/w?repository-scope=${name}`);
    expect({ status, json }).toEqual({ status: 403, json: { error: "Forbidden" } });
    expect((await world.ask(`/organization/token/r?repository-scope=${name}`)).status).toBe(200);
    expect((await world.ask("/organization/token/w?repository-scope=widget")).status).toBe(200);
  });

  test("PROFILE_ALLOW_SELF_WRITE lets it", async () => {
    await using world = await startWorld({ ...FROM_GITHUB, PROFILE_ALLOW_SELF_WRITE: "true" });
    world.simulator.setPolicy(SCOPED_WRITE);
    await hangUp(world);
    expect((await world.ask("/organization/token/w?repository-scope=policy")).status).toBe(200);
  });
});
