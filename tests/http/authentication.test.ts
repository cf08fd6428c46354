import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { generateRsaKey, publicJwk } from "../../src/simulator/rsa-key.ts";
import { underTest } from "../support/bridge.ts";
import { expectInvalidToken, expectNoCredentials, expectRefusal } from "../support/http-assertions.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({}, { policy: DEFAULT_POLICY });
});
afterEach(() => {
  world.simulator.interceptor = undefined;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const REQUIRED = [
  "organization_slug",
  "pipeline_slug",
  "pipeline_id",
  "build_number",
  "build_branch",
  "build_commit",
  "job_id",
  "agent_id",
];
const ask = (authorization: string) => world.ask("/token", { jwt: null, headers: { authorization } });
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const nowSeconds = () => Math.floor(Date.now() / 1000);
/** A valid token with one of its three parts replaced by something made of it. */
const withPart = (index: number, change: (part: string) => string) =>
  world
    .jwt()
    .split(".")
    .map((part, at) => (at === index ? change(part) : part))
    .join(".");
const withHeader = (header: Record<string, unknown>) =>
  world.simulator.oidc.issueToken({}, { jobId: world.simulator.jobOf("widget").id, header });

describe(`the Authorization header (${underTest})`, () => {
  test.each(["Bearer", "bearer", "BEARER", "bEaReR"])("the scheme %s is taken", async (scheme) => {
    expect((await ask(`${scheme} ${world.jwt()}`)).status).toBe(200);
  });

  test.each(["Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token abc", "Bearerabc", "bearer-token abc", "x"])(
    "%j is no credentials",
    async (authorization) => {
      expectNoCredentials(await ask(authorization));
    },
  );

  test("none is no credentials, on git routes as well", async () => {
    expectNoCredentials(await world.ask("/token", { jwt: null }));
    expectNoCredentials(await world.ask("/git-credentials", { jwt: null, body: "" }));
    expectNoCredentials(await world.ask("/organization/git-credentials/plugins", { jwt: null, body: "" }));
  });

  test("two headers are an invalid token, even when both are the same valid one", async () => {
    const jwt = world.jwt();
    const { status, text } = await sendRaw(
      world.bridge.port,
      `POST /token HTTP/1.1\r\nHost: bridge\r\nAuthorization: Bearer ${jwt}\r\nAuthorization: Bearer ${jwt}\r\nContent-Length: 0\r\n\r\n`,
      50,
    );
    expect(status).toBe(401);
    expect(text).toContain(`error="invalid_token"`);
  });

  test.each([
    ["two tokens with a comma", () => `Bearer ${world.jwt()}, Bearer ${world.jwt()}`],
    ["a trailing comma", () => `Bearer ${world.jwt()},`],
    ["another scheme after a comma", () => `Bearer ${world.jwt()}, Basic eA==`],
    ["a second word", () => `Bearer ${world.jwt()} x`],
    ["a non-ASCII character", () => `Bearer ${world.jwt()}\u00e9`],
  ])("%s is an invalid token", async (_what, authorization) => {
    expectInvalidToken(await ask(authorization()));
  });
});

describe(`a JWT that is refused (${underTest})`, () => {
  test.each<readonly [string, () => string]>([
    ["no JWT at all", () => "x"],
    ["two parts", () => world.jwt().split(".").slice(0, 2).join(".")],
    ["four parts", () => `${world.jwt()}.e30`],
    ["five parts, as encrypted ones have", () => "a.b.c.d.e"],
    ["three empty parts", () => ".."],
    ["an empty signature", () => withPart(2, () => "")],
    ["another token's signature", () => withPart(2, () => world.jwt({ build_number: 1 }).split(".")[2] ?? "")],
    ["a changed payload", () => withPart(1, () => base64url({ sub: "x" }))],
    ["a padded signature", () => withPart(2, (part) => `${part}==`)],
    [
      "stray bits in the signature",
      () => withPart(2, (part) => `${part.slice(0, -1)}${part.endsWith("A") ? "B" : "_"}`),
    ],
    ["the other alphabet", () => withPart(2, (part) => `+/${part.slice(2)}`)],
    ["white space inside", () => withPart(1, (part) => `${part.slice(0, 4)} ${part.slice(4)}`)],
    ["alg none", () => `${base64url({ alg: "none" })}.${world.jwt().split(".")[1]}.`],
    ["alg none with a signature", () => withPart(0, () => base64url({ alg: "none" }))],
    [
      "alg HS256 signed with the public key",
      () => {
        const { kid } = publicJwk(world.simulator.oidc.currentKey());
        const input = `${base64url({ alg: "HS256", kid })}.${world.jwt().split(".")[1]}`;
        const secret = JSON.stringify(publicJwk(world.simulator.oidc.currentKey()));
        return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
      },
    ],
    ["alg RS512", () => withHeader({ alg: "RS512" })],
    ["alg in lower case", () => withHeader({ alg: "rs256" })],
    ["crit", () => withHeader({ crit: ["exp"] })],
    ["b64", () => withHeader({ b64: false })],
    ["a kid that is a number", () => withHeader({ kid: 1 })],
    ["an unknown kid", () => withHeader({ kid: "nobody" })],
    ["a header that is a list", () => withPart(0, () => base64url(["RS256"]))],
    [
      "a header with a member twice",
      () => withPart(0, () => Buffer.from(`{"alg":"RS256","alg":"RS256","kid":"x"}`).toString("base64url")),
    ],
    ["JSON serialisation", () => JSON.stringify({ payload: "e30", protected: "e30", signature: "eA" })],
    ["more than 8 KiB", () => world.jwt({ extra: "x".repeat(8 * 1024) })],
    ["a deeply nested payload", () => withPart(1, () => Buffer.from("[".repeat(3000)).toString("base64url"))],
    ["a signature of ten thousand bits", () => withPart(2, () => "A".repeat(1668))],
  ])("%s", async (_what, jwt) => {
    expectInvalidToken(await ask(`Bearer ${jwt()}`));
  });

  test.each<readonly [string, () => Record<string, unknown>]>([
    ["another issuer", () => ({ iss: "https://issuer.example" })],
    ["the issuer with a slash behind it", () => ({ iss: `${world.simulator.oidc.url}/` })],
    ["another audience", () => ({ aud: "somebody" })],
    ["a list without our audience", () => ({ aud: ["a", "b"] })],
    ["a list of audiences with a number in it", () => ({ aud: [world.simulator.audience, 1] })],
    ["no audience", () => ({ aud: undefined })],
    ["no exp", () => ({ exp: undefined })],
    ["no nbf", () => ({ nbf: undefined })],
    ["no sub", () => ({ sub: undefined })],
    ["an empty sub", () => ({ sub: "" })],
    ["an exp six seconds ago", () => ({ exp: nowSeconds() - 6 })],
    ["an nbf a minute ahead", () => ({ nbf: nowSeconds() + 60 })],
    ["an iat a minute ahead", () => ({ iat: nowSeconds() + 60 })],
    ["an exp in text", () => ({ exp: String(nowSeconds() + 60) })],
    ["an exp more than a day ahead", () => ({ exp: nowSeconds() + 24 * 3600 + 60 })],
    ["a null exp", () => ({ exp: null })],
    ["another organization", () => ({ organization_slug: "globex" })],
    ["our organization in another case", () => ({ organization_slug: "Acme" })],
    ["a pipeline slug with a slash", () => ({ pipeline_slug: "widget/../gadget" })],
    ["a pipeline slug with a line break", () => ({ pipeline_slug: "widget\nx" })],
    ["a pipeline id of dots", () => ({ pipeline_id: ".." })],
    ["a build number in text", () => ({ build_number: "42" })],
    ["half a build number", () => ({ build_number: 1.5 })],
    ["a build tag that is a number", () => ({ build_tag: 1 })],
    ["an agent tag that is a list", () => ({ "agent_tag:queue": ["default"] })],
    ...REQUIRED.flatMap((name) =>
      [undefined, null, ""].map(
        (value) => [`${name} that is ${JSON.stringify(value)}`, () => ({ [name]: value })] as const,
      ),
    ),
  ])("%s", async (_what, claims) => {
    expectInvalidToken(await world.ask("/token", { jwt: world.jwt(claims()) }));
  });

  test("a key that the caller offers is never used: jwk, jku, x5u and x5c are not read", async () => {
    const own = await generateRsaKey();
    const { url } = world.simulator.oidc;
    const header = { jwk: publicJwk(own), jku: `${url}/evil`, x5u: `${url}/evil`, x5c: ["AAAA"] };
    const calls = world.simulator.journal.entries({ path: /evil/ }).length;
    expectInvalidToken(await ask(`Bearer ${world.simulator.oidc.issueToken({}, { key: own, header })}`));
    expect(world.simulator.journal.entries({ path: /evil/ }).length).toBe(calls);
    expect((await ask(`Bearer ${withHeader(header)}`)).status).toBe(200);
  });
});

describe(`a JWT that is taken (${underTest})`, () => {
  test.each<readonly [string, () => Record<string, unknown>]>([
    ["a list of audiences with ours in it", () => ({ aud: ["x", world.simulator.audience] })],
    ["an exp three seconds ago", () => ({ exp: nowSeconds() - 3 })],
    ["an nbf three seconds ahead", () => ({ nbf: nowSeconds() + 3 })],
    ["build number 0", () => ({ build_number: 0 })],
    ["unknown claims", () => ({ anything: { nested: [1, "two"] } })],
    ["optional claims that are null", () => ({ build_tag: null, step_key: null, cluster_id: null })],
    ["no optional claims", () => ({ cluster_id: undefined, queue_key: undefined, "agent_tag:queue": undefined })],
    ["no iat", () => ({ iat: undefined })],
  ])("%s", async (_what, claims) => {
    const { status, audit } = await world.ask("/token", { jwt: world.jwt(claims()) });
    expect(status).toBe(200);
    expect(audit["authorization"].authorized).toBe(true);
    expect(audit["authorization"].audience).toBeArray();
  });

  test("one without kid, while the issuer has one key", async () => {
    expect((await ask(`Bearer ${withHeader({ kid: undefined })}`)).status).toBe(200);
  });
});

describe(`verification comes before anything about profiles (${underTest})`, () => {
  test.each([
    "/token/nobody",
    "/token/%zz",
    "/token/org:x",
    "/organization/token/any-one-repository",
    "/organization/token/plugins?repository-scope=x",
  ])("%s with an invalid token says no more than any other", async (path) => {
    expectInvalidToken(await world.ask(path, { jwt: "a.b.c" }));
  });

  test("a token is verified in full on every request: what one may ask, another's failure does not change", async () => {
    expect((await world.ask("/token")).status).toBe(200);
    expectInvalidToken(await world.ask("/token", { jwt: withPart(2, (part) => `${part.slice(0, -4)}AAAA`) }));
    expect((await world.ask("/token")).status).toBe(200);
  });
});

describe(`the issuer's keys (${underTest})`, () => {
  test("while there are none to be had: 503 with Retry-After 5, and recovery as soon as they are", async () => {
    await using fresh = await startWorld();
    fresh.simulator.interceptor = (_request, upstream) =>
      upstream === "oidc" ? new Response("", { status: 503 }) : undefined;
    const answer = await fresh.ask("/token");
    expectRefusal(answer, "json", 503, "Service Unavailable");
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(answer.audit["authorization"]).toEqual({ authorized: false });
    expectRefusal(await fresh.ask("/git-credentials", { body: "" }), "git", 503, "Service Unavailable");
    expectInvalidToken(await fresh.ask("/token", { jwt: "malformed" }));
  });

  test("an unknown kid causes one look at the issuer, whatever the request rate", async () => {
    await using fresh = await startWorld();
    await fresh.ask("/token");
    const calls = () => fresh.simulator.journal.entries({ upstream: "oidc", path: /jwks/ }).length;
    const before = calls();
    const stranger = fresh.simulator.oidc.issueToken({}, { header: { kid: "nobody" } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => fresh.ask("/token", { jwt: stranger })));
    for (const answer of answers) expectInvalidToken(answer);
    expect(calls() - before).toBeLessThanOrEqual(1);
  });

  test("JWT_JWKS_STATIC verifies without asking the issuer", async () => {
    const key = await generateRsaKey();
    await using fresh = await startWorld({ JWT_JWKS_STATIC: JSON.stringify({ keys: [publicJwk(key)] }) });
    const jobId = fresh.simulator.jobOf("widget").id;
    const jwt = fresh.simulator.oidc.issueToken({}, { jobId, key, header: { kid: key.id } });
    expect((await fresh.ask("/token", { jwt })).status).toBe(200);
    expectInvalidToken(await fresh.ask("/token"));
    expect(fresh.simulator.journal.entries({ upstream: "oidc" })).toEqual([]);
  });
});
