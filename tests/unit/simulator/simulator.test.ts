import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createPrivateKey, createPublicKey } from "node:crypto";
import {
  generateSimulatorKeys,
  startSimulator,
  type Simulator,
  type SimulatorKeys,
} from "../../../src/simulator/simulator.ts";
import { signJwt } from "../../../src/simulator/compact-jwt.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

let keys: SimulatorKeys;
let simulator: Simulator;

beforeAll(async () => {
  keys = await generateSimulatorKeys();
});

beforeEach(async () => {
  simulator = await startSimulator({ keys, clock: createFixedClock() });
});

afterEach(async () => simulator[Symbol.asyncDispose]());

async function mint(): Promise<string> {
  const claims = { iss: 111, iat: 1768258800, exp: 1768258860 };
  const response = await fetch(`${simulator.github.url}/app/installations/222/access_tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${signJwt({ alg: "RS256" }, claims, keys.main.privateKey)}` },
    body: JSON.stringify({ repositories: ["widget"] }),
  });
  return ((await response.json()) as { token: string }).token;
}

describe("the journal", () => {
  test("has every request in order, who it said it was, what it asked and got, and no credentials", async () => {
    await fetch(`${simulator.oidc.url}/.well-known/jwks`);
    const token = await mint();
    await fetch(`${simulator.github.url}/repos/acme/widget/contents/README.md?ref=main`, {
      headers: { authorization: `token ${token}` },
    });
    await fetch(`${simulator.buildkite.url}/v2/organizations/acme/pipelines/widget`, {
      headers: { authorization: "Bearer bkua_simulator" },
    });
    const atMs = simulator.journal.entries()[0]!.atMs;
    expect(simulator.journal.entries()).toEqual([
      {
        sequence: 1,
        atMs,
        upstream: "oidc",
        method: "GET",
        path: "/.well-known/jwks",
        authorization: "none",
        status: 200,
      },
      {
        sequence: 2,
        atMs,
        upstream: "github",
        method: "POST",
        path: "/app/installations/222/access_tokens",
        authorization: "app-jwt",
        appId: 111,
        body: { repositories: ["widget"] },
        status: 201,
      },
      {
        sequence: 3,
        atMs,
        upstream: "github",
        method: "GET",
        path: "/repos/acme/widget/contents/README.md?ref=main",
        authorization: "installation-token",
        appId: 111,
        status: 200,
      },
      {
        sequence: 4,
        atMs,
        upstream: "buildkite",
        method: "GET",
        path: "/v2/organizations/acme/pipelines/widget",
        authorization: "buildkite-api-token",
        status: 200,
      },
    ]);
    const overHttp: unknown = await (await fetch(`${simulator.control.url}/journal`)).json();
    expect(overHttp).toEqual(simulator.journal.entries());
    expect(JSON.stringify(overHttp)).not.toContain(token);
    expect(JSON.stringify(overHttp)).not.toContain("bkua_simulator");
  });

  test("can be narrowed and cleared, and goes on counting", async () => {
    await fetch(`${simulator.oidc.url}/.well-known/jwks`);
    await mint();
    expect(simulator.journal.entries({ upstream: "github" })).toHaveLength(1);
    expect(simulator.journal.entries({ path: /access_tokens$/, method: "POST" })).toHaveLength(1);
    expect(simulator.journal.entries({ path: "/.well-known" })).toHaveLength(0);
    expect((await fetch(`${simulator.control.url}/journal`, { method: "DELETE" })).status).toBe(204);
    expect(simulator.journal.entries()).toEqual([]);
    await mint();
    expect(simulator.journal.entries().map(({ sequence }) => sequence)).toEqual([3]);
  });
});

describe("an interceptor", () => {
  test("answers in an upstream's place, or lets it answer", async () => {
    simulator.interceptor = (_, upstream) =>
      upstream === "buildkite" ? new Response("down", { status: 503 }) : undefined;
    expect((await fetch(simulator.buildkite.url)).status).toBe(503);
    expect((await fetch(`${simulator.oidc.url}/.well-known/jwks`)).status).toBe(200);
    expect(simulator.journal.entries().map(({ status }) => status)).toEqual([503, 200]);
  });

  test("may send something else after the upstream has done its work", async () => {
    simulator.interceptor = async (request, _, proceed) => {
      expect(await request.json()).toEqual({ repositories: ["widget"] });
      await proceed();
      return Response.json({ token: "lost" }, { status: 502 });
    };
    expect(await mint()).toBe("lost");
    expect(simulator.github.issuedTokens()).toHaveLength(1);
  });

  test("may hang until the client gives up, and the simulator still ends", async () => {
    simulator.interceptor = () => new Promise(() => {});
    const asked = fetch(simulator.github.url, { signal: AbortSignal.timeout(50) });
    expect(await asked.catch((error: unknown) => error)).toHaveProperty("name", "TimeoutError");
  });
});

describe("environment()", () => {
  test("points a bridge at this world", () => {
    const { GITHUB_APP_PRIVATE_KEY = "", ...rest } = simulator.environment();
    expect(rest).toEqual({
      JWT_ISSUER_URL: simulator.oidc.url,
      JWT_AUDIENCE: simulator.audience,
      JWT_BUILDKITE_ORGANIZATION_SLUG: "acme",
      BUILDKITE_API_URL: simulator.buildkite.url,
      BUILDKITE_API_TOKEN: "bkua_simulator",
      GITHUB_API_URL: simulator.github.url,
      GITHUB_APP_ID: "111",
      GITHUB_APP_INSTALLATION_ID: "222",
      GITHUB_ORG_PROFILE: "acme:policy:chinmina/profiles.yaml",
    });
    expect(GITHUB_APP_PRIVATE_KEY).toStartWith("-----BEGIN RSA PRIVATE KEY-----\n");
    const publicKey = createPublicKey(createPrivateKey(GITHUB_APP_PRIVATE_KEY));
    expect(publicKey.equals(keys.main.publicKey)).toBe(true);
  });

  test("names the second App when a registry is asked for", () => {
    const [entry] = JSON.parse(simulator.environment({ registry: true })["GITHUB_APPS"] ?? "");
    expect(entry).toMatchObject({ name: "packages", appId: 333, installationId: 444 });
  });
});

test("the control port changes the policy and keeps what jobs want redacted", async () => {
  await fetch(`${simulator.control.url}/policy`, { method: "PUT", body: "pipeline: {}\n" });
  expect(simulator.repository("acme/policy").branches.get("main")?.get("chinmina/profiles.yaml")).toEqual({
    kind: "file",
    content: "pipeline: {}\n",
  });
  await fetch(`${simulator.control.url}/redactions`, { method: "POST", body: "secret" });
  expect(simulator.redactions).toEqual(["secret"]);
  expect((await fetch(`${simulator.control.url}/other`)).status).toBe(404);
});

test("two simulators do not know each other", async () => {
  await using other = await startSimulator({ keys });
  const token = await mint();
  expect(simulator.github.isLive(token)).toBe(true);
  expect(other.github.isLive(token)).toBe(false);
  expect(other.journal.entries()).toEqual([]);
});
