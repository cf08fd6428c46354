import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { SignJWT } from "jose";
import { signCompact, signJwt } from "../../../src/simulator/compact-jwt.ts";
import type { RsaKey } from "../../../src/simulator/rsa-key.ts";
import {
  generateSimulatorKeys,
  startSimulator,
  type Simulator,
  type SimulatorKeys,
} from "../../../src/simulator/simulator.ts";
import { createFixedClock, type FixedClock } from "../../support/fixed-clock.ts";

// A lenient simulator makes every other test worthless: these are its refusals.

let keys: SimulatorKeys;
let clock: FixedClock;
let simulator: Simulator;

beforeAll(async () => {
  keys = await generateSimulatorKeys();
});

beforeEach(async () => {
  clock = createFixedClock();
  simulator = await startSimulator({ keys, clock });
});

afterEach(async () => simulator[Symbol.asyncDispose]());

interface AppJwt {
  readonly key?: RsaKey;
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
}

function appJwt({ key = keys.main, header = {}, claims = {} }: AppJwt = {}): string {
  const now = Math.floor(clock.nowMs() / 1000);
  return signJwt({ alg: "RS256", ...header }, { iss: "111", iat: now - 60, exp: now + 540, ...claims }, key.privateKey);
}

async function call(method: string, path: string, authorization: string | undefined, body?: unknown) {
  const response = await fetch(`${simulator.github.url}${path}`, {
    method,
    headers: authorization === undefined ? {} : { authorization },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

function askToken(body?: unknown, { installation = 222, jwt = appJwt() } = {}) {
  return call("POST", `/app/installations/${installation}/access_tokens`, `Bearer ${jwt}`, body);
}

function read(token: string, path = "acme/widget/contents/README.md") {
  return call("GET", `/repos/${path}`, `token ${token}`);
}

describe("GitHub refuses an App's JWT", () => {
  const now = Math.floor(createFixedClock().nowMs() / 1000);
  const cases: [string, () => AppJwt][] = [
    ["that has expired", () => ({ claims: { exp: now - 1 } })],
    ["that expires this second", () => ({ claims: { exp: now } })],
    ["that lives longer than ten minutes", () => ({ claims: { exp: now + 601 } })],
    ["without exp", () => ({ claims: { exp: undefined } })],
    ["with a textual exp", () => ({ claims: { exp: `${now + 60}` } })],
    ["issued in the future", () => ({ claims: { iat: now + 1 } })],
    ["without iat", () => ({ claims: { iat: undefined } })],
    ["with a fractional iat", () => ({ claims: { iat: now - 0.5 } })],
    ["without iss", () => ({ claims: { iss: undefined } })],
    ["signed by another App's key", () => ({ key: keys.packages })],
    ["that names another App than its key's", () => ({ claims: { iss: "333" } })],
    ["of another algorithm", () => ({ header: { alg: "RS512" } })],
    ["of no algorithm", () => ({ header: { alg: "none" } })],
  ];

  test.each(cases)("%s", async (_, jwt) => {
    const { status, body } = await askToken({}, { jwt: appJwt(jwt()) });
    expect([401, 404]).toContain(status);
    expect(Object.keys(body)).toEqual(["message", "documentation_url", "status"]);
    expect(simulator.github.issuedTokens()).toEqual([]);
  });

  test("of an unknown App with 404, as GitHub does, and all else with 401", async () => {
    expect((await askToken({}, { jwt: appJwt({ claims: { iss: "112" } }) })).status).toBe(404);
    expect((await askToken({}, { jwt: appJwt({ claims: { exp: now - 1 } }) })).status).toBe(401);
    expect((await askToken({}, { jwt: appJwt({ key: keys.packages }) })).status).toBe(401);
  });

  test("whose payload was changed after signing", async () => {
    const [header, , signature] = appJwt().split(".");
    const [, payload] = appJwt({ claims: { exp: now + 541 } }).split(".");
    expect((await askToken({}, { jwt: `${header}.${payload}.${signature}` })).status).toBe(401);
  });

  test.each(["RS384", "RS512", "PS256"])("rightly signed with %s", async (alg) => {
    const claims = { iss: "111", iat: now - 60, exp: now + 540 };
    const jwt = await new SignJWT(claims).setProtectedHeader({ alg }).sign(keys.main.privateKey);
    expect((await askToken({}, { jwt })).status).toBe(401);
  });

  test("that is missing, no JWT, or no JSON", async () => {
    expect((await call("POST", "/app/installations/222/access_tokens", undefined)).status).toBe(401);
    expect((await askToken({}, { jwt: "ghs_111_x" })).status).toBe(401);
    expect((await askToken({}, { jwt: signCompact("{}", "[]", keys.main.privateKey) })).status).toBe(401);
  });
});

test("GitHub accepts an App's JWT at the very ends of its time, with its id as number or its client id", async () => {
  const now = Math.floor(clock.nowMs() / 1000);
  const accepted = [{ iat: now, exp: now + 600 }, { exp: now + 1 }, { iss: 111 }, { iss: "Iv23simulator111" }];
  for (const claims of accepted) expect((await askToken({}, { jwt: appJwt({ claims }) })).status).toBe(201);
});

test("an App with two keys is believed with either", async () => {
  simulator.world.github.apps[0]!.keys.push(keys.foreign);
  expect((await askToken()).status).toBe(201);
  expect((await askToken({}, { jwt: appJwt({ key: keys.foreign }) })).status).toBe(201);
});

describe("an installation", () => {
  test("is described to its own App, and to no other", async () => {
    const own = await call("GET", "/app/installations/222", `Bearer ${appJwt()}`);
    expect(own.status).toBe(200);
    expect(own.body).toMatchObject({
      id: 222,
      app_id: 111,
      account: { login: "acme", id: 1001, type: "Organization" },
      repository_selection: "all",
      permissions: { contents: "write", metadata: "read" },
      suspended_at: null,
    });
    expect((await call("GET", "/app/installations/444", `Bearer ${appJwt()}`)).status).toBe(404);
    expect((await call("GET", "/app/installations/999", `Bearer ${appJwt()}`)).status).toBe(404);
  });

  test("that is suspended says so, gives no tokens, and those it gave stop working", async () => {
    const { body } = await askToken();
    simulator.installation(222).suspendedAtMs = clock.nowMs();
    const described = await call("GET", "/app/installations/222", `Bearer ${appJwt()}`);
    expect(described.body.suspended_at).toBe("2026-01-12T23:00:00Z");
    expect((await askToken()).status).toBe(403);
    expect((await read(body.token)).status).toBe(403);
  });
});

describe("a token", () => {
  test("without a body is for every repository and permission of the installation, for exactly an hour", async () => {
    clock.advance(789);
    const { status, body } = await askToken();
    expect(status).toBe(201);
    expect(body).toEqual({
      token: expect.stringMatching(/^ghs_111_[\w-]+\.[\w-]+\.[\w-]+$/),
      expires_at: "2026-01-13T00:00:00Z",
      permissions: simulator.installation(222).permissions,
      repository_selection: "all",
    });
    expect(body.token.length).toBeGreaterThan(400);
  });

  // The trap that the service must never fall into: no names is every name.
  test.each([{}, { repositories: [] }, { repository_ids: [] }])(
    "asked for with %p reaches everything",
    async (body) => {
      expect((await askToken(body)).body).toMatchObject({ repository_selection: "all" });
    },
  );

  test("for named repositories lists them, reaches them, and nothing else", async () => {
    const { body } = await askToken({ repositories: ["Widget"], permissions: { contents: "read" } });
    expect(body.repository_selection).toBe("selected");
    expect(body.repositories).toEqual([
      expect.objectContaining({ id: 2001, name: "widget", full_name: "acme/widget" }),
    ]);
    expect(body.permissions).toEqual({ contents: "read", metadata: "read" });
    expect((await read(body.token)).status).toBe(200);
    expect((await read(body.token, "acme/gadget/contents/README.md")).status).toBe(404);
    expect((await read(body.token, "globex/widget/contents/README.md")).status).toBe(404);
  });

  test("without the contents permission may not read contents", async () => {
    const { body } = await askToken({ repositories: ["widget"], permissions: { issues: "write" } });
    const answer = await read(body.token);
    expect(answer.status).toBe(403);
    expect(answer.headers.get("x-accepted-github-permissions")).toBe("contents=read");
  });

  const refused: [string, unknown, number][] = [
    ["an unknown repository", { repositories: ["widget", "nonesuch"] }, 422],
    ["a repository with its owner", { repositories: ["acme/widget"] }, 422],
    ["more than 500 repositories", { repositories: Array.from({ length: 501 }, () => "widget") }, 422],
    ["another account's repository id", { repository_ids: [2005] }, 422],
    ["more than the installation holds", { permissions: { packages: "write" } }, 422],
    ["a permission it lacks", { permissions: { checks: "read" } }, 422],
    ["a permission that does not exist", { permissions: { everything: "read" } }, 422],
    ["a permission named like an object's own", { permissions: { constructor: "read" } }, 422],
    ["an unknown level", { permissions: { contents: "none" } }, 422],
    ["reading what can only be written", { permissions: { workflows: "read" } }, 422],
    ["writing metadata", { permissions: { metadata: "write" } }, 422],
    ["names that are no list", { repositories: "widget" }, 422],
    ["names that are no text", { repositories: [1] }, 422],
    ["permissions that are no object", { permissions: ["contents"] }, 422],
    ["no JSON", "{", 400],
  ];
  test.each(refused)("is refused for %s", async (_, body, status) => {
    expect((await askToken(body)).status).toBe(status);
    expect(simulator.github.issuedTokens()).toEqual([]);
  });

  test("of an installation with chosen repositories reaches those alone", async () => {
    const jwt = appJwt({ key: keys.packages, claims: { iss: 333 } });
    expect((await askToken({ repositories: ["plugins"] }, { installation: 444, jwt })).status).toBe(422);
    const { body } = await askToken({}, { installation: 444, jwt });
    expect(body.repository_selection).toBe("selected");
    expect(body).not.toHaveProperty("repositories");
    expect((await read(body.token, "acme/gadget/contents/README.md")).status).toBe(200);
    expect((await read(body.token, "acme/plugins/contents/README.md")).status).toBe(404);
  });

  test("of another App's installation cannot be had", async () => {
    expect((await askToken({}, { installation: 444 })).status).toBe(404);
  });

  test("stops working when it is revoked", async () => {
    const { body } = await askToken();
    expect((await read(body.token)).status).toBe(200);
    expect((await call("DELETE", "/installation/token", `Bearer ${body.token}`)).status).toBe(204);
    expect(simulator.github.isLive(body.token)).toBe(false);
    expect((await read(body.token)).status).toBe(401);
    expect((await call("DELETE", "/installation/token", `Bearer ${body.token}`)).status).toBe(401);
  });

  test("stops working when it expires", async () => {
    const { body } = await askToken();
    clock.advance(3_599_999);
    expect((await read(body.token)).status).toBe(200);
    clock.advance(1);
    expect((await read(body.token)).status).toBe(401);
  });

  test("does not authenticate an App, nor an App's JWT a reader", async () => {
    const { body } = await askToken();
    expect((await call("GET", "/app/installations/222", `Bearer ${body.token}`)).status).toBe(401);
    expect((await read(appJwt())).status).toBe(401);
  });

  test("can be reported wider than it is, for those who must notice", async () => {
    simulator.github.tamperGrant = (grant) => ({ ...grant, repository_selection: "all" });
    expect((await askToken({ repositories: ["widget"] })).body.repository_selection).toBe("all");
  });
});

describe("the rate limit", () => {
  test("counts by installation, is told on every reply, and ends in 403 until the hour is over", async () => {
    simulator.github.rateLimit.limit = 2;
    const { body } = await askToken();
    expect((await read(body.token)).headers.get("x-ratelimit-remaining")).toBe("1");
    expect((await read(body.token)).headers.get("x-ratelimit-remaining")).toBe("0");
    const exhausted = await read(body.token);
    expect(exhausted.status).toBe(403);
    expect(exhausted.headers.get("x-ratelimit-reset")).toBe(`${clock.nowMs() / 1000 + 3600}`);
    clock.advance(3_600_000);
    const later = await askToken();
    expect((await read(later.body.token)).status).toBe(200);
  });
});

test("GitHub refuses whoever sends no User-Agent", async () => {
  const response = await fetch(`${simulator.github.url}/app/installations/222`, {
    headers: { authorization: `Bearer ${appJwt()}`, "user-agent": "" },
  });
  expect(response.status).toBe(403);
});

test("GitHub wants a known API version, and names each request", async () => {
  const { token } = (await askToken()).body;
  const ask = (version: string) =>
    fetch(`${simulator.github.url}/repos/acme/widget/contents/README.md`, {
      headers: { authorization: `Bearer ${token}`, "x-github-api-version": version },
    });
  const known = await ask("2022-11-28");
  expect(known.status).toBe(200);
  expect(known.headers.get("x-github-request-id")).toBe("51B0:000002");
  expect((await ask("1999-01-01")).status).toBe(400);
});
