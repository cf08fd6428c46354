import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { underTest } from "../support/bridge.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe(`POST /token (${underTest})`, () => {
  test("answers with a token that GitHub made for the pipeline's repository alone", async () => {
    const { status, headers, json } = await world.ask("/token");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(Object.keys(json)).toEqual([
      "organizationSlug",
      "profile",
      "repositoryUrl",
      "repositories",
      "permissions",
      "app",
      "token",
      "hashedToken",
      "expiry",
    ]);
    expect(json).toMatchObject({
      organizationSlug: "acme",
      profile: "repo:default",
      repositoryUrl: "https://github.com/acme/widget.git",
      repositories: { names: ["widget"] },
      permissions: ["contents:read", "metadata:read"],
      app: "default",
      hashedToken: new Bun.CryptoHasher("sha256").update(json.token).digest("base64"),
    });
    expect(json.expiry).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(world.simulator.github.isLive(json.token)).toBe(true);
    const asked = world.simulator.journal.entries({ method: "POST", path: /access_tokens$/ });
    expect(asked.at(-1)?.body).toEqual({
      repositories: ["widget"],
      permissions: { contents: "read", metadata: "read" },
    });
  });

  test("serves the same token again without asking anyone", async () => {
    const first = await world.ask("/token");
    const calls = world.simulator.journal.entries().length;
    const second = await world.ask("/token", { jwt: world.jwt({ build_number: 77 }) });
    expect(second.json.token).toBe(first.json.token);
    expect(world.simulator.journal.entries().length).toBe(calls);
    expect(second.audit["token"].source).toBe("memory");
  });

  test("writes one audit line with everything that was decided", async () => {
    const jwt = world.jwt({}, "gadget");
    const { json, audit } = await world.ask("/token", { jwt, headers: { "user-agent": "curl/8.3.0" } });
    expect(audit).toEqual({
      level: "audit",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      type: "audit",
      message: "audit_event",
      request: {
        method: "POST",
        path: "/token",
        status: 200,
        sourceIP: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        userAgent: "curl/8.3.0",
        id: expect.any(String),
        durationMs: expect.any(Number),
      },
      pipeline: {
        organizationSlug: "acme",
        pipelineSlug: "gadget",
        jobID: world.simulator.jobOf("gadget").id,
        buildNumber: 42,
        buildBranch: "main",
      },
      authorization: {
        authorized: true,
        subject: expect.stringContaining("organization:acme:pipeline:gadget:"),
        issuer: world.simulator.oidc.url,
        audience: [world.simulator.audience],
        expiry: expect.any(String),
        expiryRemaining: expect.any(Number),
      },
      token: {
        requestedProfile: `profile://organization/acme/pipeline/${world.simulator.pipeline("gadget").id}/gadget/profile/default`,
        vendedRepository: "https://github.com/acme/gadget.git",
        app: "default",
        applicationID: 111,
        installationID: 222,
        repositories: ["gadget"],
        permissions: ["contents:read", "metadata:read"],
        hashedToken: json.hashedToken,
        expiry: json.expiry,
        expiryRemaining: expect.any(Number),
        matches: [],
        source: "github",
        profileDigest: "default-profile:v1",
      },
      instance: expect.any(String),
      sequence: expect.any(Number),
    });
  });

  test("refuses the repository of another account than the App's", async () => {
    const { status, json, audit } = await world.ask("/token", { jwt: world.jwt({}, "of-another-owner") });
    expect(status).toBe(403);
    expect(json).toEqual({ error: "Forbidden" });
    expect(audit["error"]).toContain("globex");
  });

  test("answers 204 for a pipeline whose repository is on another host", async () => {
    const { status, text } = await world.ask("/token", { jwt: world.jwt({}, "on-another-host") });
    expect({ status, text }).toEqual({ status: 204, text: "" });
  });

  test("refuses a pipeline that has inherited the slug of another", async () => {
    const { status, audit } = await world.ask("/token", {
      jwt: world.jwt({ pipeline_id: "0183c4e6-c88c-4e5e-9b3a-00000000dead" }),
    });
    expect(status).toBe(403);
    expect(audit["error"]).toContain("pipeline_id");
  });

  test("a token wider than asked is revoked at GitHub, never sent and never cached", async () => {
    const { simulator } = world;
    simulator.github.tamperGrant = (grant) => ({ ...grant, permissions: { contents: "write", metadata: "read" } });
    const { status, json, audit } = await world.ask("/token", { jwt: world.jwt({}, "plugins") });
    simulator.github.tamperGrant = undefined;
    expect({ status, json }).toEqual({ status: 500, json: { error: "Internal Server Error" } });
    expect(audit["error"]).toContain("contents:write");
    expect(simulator.github.isLive(simulator.github.issuedTokens().at(-1)?.token ?? "")).toBe(false);
    expect((await world.ask("/token", { jwt: world.jwt({}, "plugins") })).status).toBe(200);
  });

  test("without credentials: 401 with a bare challenge", async () => {
    const { status, headers, json, audit } = await world.ask("/token", { jwt: null });
    expect({ status, json }).toEqual({ status: 401, json: { error: "invalid_token" } });
    expect(headers.get("www-authenticate")).toBe(`Bearer realm="api"`);
    expect(audit["authorization"]).toEqual({ authorized: false });
  });

  test.each([
    ["of another audience", { aud: "someone-else" }],
    ["of another organization", { organization_slug: "globex" }],
    ["that has expired", { exp: 1_000_000_000 }],
    ["without pipeline_id", { pipeline_id: undefined }],
  ])("a token %s gets the uniform 401", async (_what, claims) => {
    const { status, headers, json, audit } = await world.ask("/token", { jwt: world.jwt(claims) });
    expect({ status, json }).toEqual({
      status: 401,
      json: { error: "invalid_token", error_description: "The access token is invalid" },
    });
    expect(headers.get("www-authenticate")).toBe(
      `Bearer realm="api", error="invalid_token", error_description="The access token is invalid"`,
    );
    expect(audit["error"]).toBeString();
  });
});

describe(`other paths (${underTest})`, () => {
  test("GET /healthcheck answers OK without an audit line", async () => {
    const before = world.bridge.audit.length;
    const response = await fetch(`${world.bridge.url}/healthcheck`);
    expect({
      status: response.status,
      text: await response.text(),
      type: response.headers.get("content-type"),
    }).toEqual({
      status: 200,
      text: "OK",
      type: "text/plain",
    });
    expect(world.bridge.audit.length).toBe(before);
  });

  test.each(["/", "/token/", "//token", "/healthcheck/", "/Token", "/token//", "/tokens"])(
    "%s is not found",
    async (path) => {
      const { status, text } = await sendRaw(
        world.bridge.port,
        `POST ${path} HTTP/1.1\r\nHost: bridge\r\nContent-Length: 0\r\n\r\n`,
        50,
      );
      expect(status).toBe(404);
      expect(text.toLowerCase()).toContain("content-type: text/plain");
      expect(text).toEndWith("Not Found");
    },
  );

  test("a known path with another method is 405 and names the one that works", async () => {
    const response = await fetch(`${world.bridge.url}/token`);
    expect({ status: response.status, allow: response.headers.get("allow") }).toEqual({ status: 405, allow: "POST" });
  });
});
