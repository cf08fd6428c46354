import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { POLICY_LOCATION } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { startWorld, type Answer, type TestWorld } from "../support/world.ts";

/**
 * A published hole of a peer: match rules below the token cache. A warms the entry, B, whom the rules refuse, asks for the very same one.
 */
const POLICY = `
pipeline:
  profiles:
    - name: release
      match: [{claim: build_branch, value: main}]
      permissions: ["contents:write"]
organization:
  profiles:
    - name: names
      match: [{claim: pipeline_slug, value: widget}]
      repositories: [plugins, gadget]
      permissions: ["contents:read"]
    - name: all
      match: [{claim: pipeline_slug, value: widget}]
      repositories: ["{{all-repositories}}"]
      permissions: ["contents:read"]
    - name: scoped
      match: [{claim: pipeline_slug, value: widget}]
      repositories: ["{{caller-scoped-repository}}"]
      permissions: ["contents:read"]
    - name: open
      repositories: ["{{caller-scoped-repository}}"]
      permissions: ["contents:read"]
`;
const git = (path: string) => ({ body: `protocol=https\nhost=github.com\npath=${path}\n\n` });

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({ GITHUB_ORG_PROFILE: POLICY_LOCATION });
  world.simulator.setPolicy(POLICY);
  world.bridge.process.kill("SIGHUP");
  await world.bridge.waitFor((line) => line["message"] === "profile refreshed" && line["trigger"] === "request");
});
afterAll(() => world[Symbol.asyncDispose]());

const carriesToken = ({ text }: Answer) => /ghs_|password=/.test(text);

describe(`warm by A, ask by B: match rules stand outside the cache (${underTest})`, () => {
  test.each<[string, RequestInit, Record<string, unknown>, string]>([
    ["/token/release", {}, { build_branch: "dev" }, "widget"],
    ["/git-credentials/release", git("acme/widget.git"), { build_branch: "dev" }, "widget"],
    ["/organization/token/names", {}, {}, "gadget"],
    ["/organization/token/all", {}, {}, "gadget"],
    ["/organization/token/scoped?repository-scope=plugins", {}, {}, "gadget"],
    ["/organization/git-credentials/names", git("acme/plugins.git"), {}, "gadget"],
    ["/organization/git-credentials/all", git("acme/widget.git"), {}, "gadget"],
    ["/organization/git-credentials/scoped", git("acme/plugins"), {}, "gadget"],
  ])("%s", async (path, init, claimsOfB, pipelineOfB) => {
    const first = await world.ask(path, init);
    expect(first.status).toBe(200);
    expect(carriesToken(first)).toBe(true);
    const warm = await world.ask(path, init);
    expect(warm.audit["token"].source).toBe("memory");
    const calls = world.simulator.journal.entries().length;
    const refused = await world.ask(path, { ...init, jwt: world.jwt(claimsOfB, pipelineOfB) });
    expect(refused.status).toBe(403);
    expect(carriesToken(refused)).toBe(false);
    expect(refused.audit["token"]).toHaveProperty("attemptedPatterns");
    expect(refused.audit["token"]).not.toHaveProperty("hashedToken");
    expect(world.simulator.journal.entries().length).toBe(calls);
  });

  test("one pipeline's token is never another's, whatever is warm", async () => {
    const widget = await world.ask("/token");
    const gadget = await world.ask("/token", { jwt: world.jwt({}, "gadget") });
    expect(gadget.json.repositories).toEqual({ names: ["gadget"] });
    expect(gadget.json.token).not.toBe(widget.json.token);
  });
});

describe(`a caller's scope is one repository's name and nothing else (${underTest})`, () => {
  test.each([
    "",
    "%20",
    "*",
    "{{all-repositories}}",
    "%7B%7Bcaller-scoped-repository%7D%7D",
    "acme/plugins",
    "acme%2Fplugins",
    "plugins.git",
    "..",
    ".",
    "plug%20ins",
    "%20plugins",
    "plugins%00",
    "plugins%0A",
    "a".repeat(101),
    "plugins&repository-scope=gadget",
  ])("?repository-scope=%s is 400 and asks nobody", async (scope) => {
    const calls = world.simulator.journal.entries({ method: "POST" }).length;
    const { status, json } = await world.ask(`/organization/token/open?repository-scope=${scope}`);
    expect({ status, json }).toEqual({ status: 400, json: { error: "Bad Request" } });
    expect(world.simulator.journal.entries({ method: "POST" }).length).toBe(calls);
  });

  test("every spelling of case is one repository and one entry", async () => {
    const lower = await world.ask("/organization/token/open?repository-scope=plugins");
    const upper = await world.ask("/organization/token/open?repository-scope=PLUGINS");
    expect(upper.json.token).toBe(lower.json.token);
    expect(upper.audit["token"].source).toBe("memory");
  });

  test("a scope for a profile that takes none is 400", async () => {
    for (const profile of ["names", "all"]) {
      const { status, json } = await world.ask(`/organization/token/${profile}?repository-scope=plugins`);
      expect({ status, json }).toEqual({ status: 400, json: { error: "profile does not accept repository scoping" } });
    }
  });

  test("a repository that GitHub does not know is 403, in words that reveal nothing", async () => {
    const { status, json, audit } = await world.ask("/organization/token/open?repository-scope=nowhere");
    expect({ status, json }).toEqual({ status: 403, json: { error: "Forbidden" } });
    expect(audit["error"]).toContain("github: create installation token");
  });
});
