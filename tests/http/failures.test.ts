import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { underTest } from "../support/bridge.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
beforeAll(async () => {
  // Every case mints anew: nothing may come from an earlier one.
  world = await startWorld({ CALLER_UPSTREAM_CALLS_PER_MINUTE: "10000" });
  expect((await world.ask("/token")).status).toBe(200);
});
afterEach(() => {
  world.simulator.interceptor = undefined;
});
afterAll(() => world[Symbol.asyncDispose]());

type Reply = () => Response;
const reply =
  (status: number, headers: Record<string, string> = {}, body = `{"message":"m"}`): Reply =>
  () =>
    new Response(body, { status, headers: { "content-type": "application/json", ...headers } });

/** Answers the next calls that match in GitHub's or Buildkite's place. */
function failing(upstream: "github" | "buildkite", path: RegExp, answer: Reply): void {
  world.simulator.interceptor = (request, name) =>
    name === upstream && path.test(new URL(request.url).pathname) ? answer() : undefined;
}

let asked = 0;
/** A pipeline that nobody has asked for before, so that nothing is cached or remembered. */
function freshPipeline(): string {
  const { simulator } = world;
  const [organization] = simulator.world.buildkite.organizations;
  const template = simulator.pipeline("gadget");
  const number = ++asked;
  const id = `0183c4e6-c88c-4e5e-9b3a-${String(number).padStart(12, "0")}`;
  organization?.pipelines.push({ ...template, id, slug: `fresh-${number}` });
  return world.jwt({ pipeline_slug: `fresh-${number}`, pipeline_id: id });
}

describe(`failures of upstreams (${underTest})`, () => {
  test.each<[string, "github" | "buildkite", RegExp, Reply, number, string | undefined]>([
    ["GitHub 500", "github", /access_tokens$/, reply(500), 503, "5"],
    ["GitHub 502 with rubbish", "github", /access_tokens$/, reply(502, {}, "<html>"), 503, "5"],
    ["GitHub 429", "github", /access_tokens$/, reply(429, { "retry-after": "17" }), 503, "17"],
    ["GitHub 429 for an hour", "github", /access_tokens$/, reply(429, { "retry-after": "3600" }), 503, "60"],
    ["GitHub 429 for no time", "github", /access_tokens$/, reply(429, { "retry-after": "0" }), 503, "1"],
    ["GitHub 403 with a limit", "github", /access_tokens$/, reply(403, { "x-ratelimit-remaining": "0" }), 503, "5"],
    ["GitHub 401", "github", /access_tokens$/, reply(401), 403, undefined],
    ["GitHub 403", "github", /access_tokens$/, reply(403), 403, undefined],
    ["GitHub 404", "github", /access_tokens$/, reply(404), 403, undefined],
    ["GitHub 422", "github", /access_tokens$/, reply(422), 403, undefined],
    ["GitHub garbage", "github", /access_tokens$/, reply(201, {}, "{"), 500, undefined],
    ["GitHub without a token", "github", /access_tokens$/, reply(201, {}, "{}"), 500, undefined],
    ["GitHub redirect", "github", /access_tokens$/, reply(302, { location: "https://evil.example" }), 500, undefined],
    ["GitHub over-long", "github", /access_tokens$/, reply(201, {}, " ".repeat(5_000_000)), 500, undefined],
    ["Buildkite 500", "buildkite", /fresh/, reply(500), 503, "5"],
    ["Buildkite 429", "buildkite", /fresh/, reply(429, { "retry-after": "9" }), 503, "9"],
    ["Buildkite 401", "buildkite", /fresh/, reply(401), 500, undefined],
    ["Buildkite 403", "buildkite", /fresh/, reply(403), 500, undefined],
    ["Buildkite 404", "buildkite", /fresh/, reply(404), 500, undefined],
    ["Buildkite garbage", "buildkite", /fresh/, reply(200, {}, "[]"), 500, undefined],
  ])("%s", async (_what, upstream, path, answer, status, retryAfter) => {
    failing(upstream, path, answer);
    const got = await world.ask("/token", { jwt: freshPipeline() });
    const words: Record<number, string> = {
      403: "Forbidden",
      500: "Internal Server Error",
      503: "Service Unavailable",
    };
    expect({ status: got.status, json: got.json, retryAfter: got.headers.get("retry-after") ?? undefined }).toEqual({
      status,
      json: { error: words[status] },
      retryAfter,
    });
    expect(got.audit["request"].status).toBe(status);
    expect(got.audit["error"]).toContain(upstream);
  });

  test("a pipeline without a repository is 500", async () => {
    const { status, audit } = await world.ask("/token", { jwt: world.jwt({}, "without-repository") });
    expect(status).toBe(500);
    expect(audit["error"]).toContain("names no repository");
  });

  test("what GitHub says of a failure is cut and loses whatever looks like a token", async () => {
    failing(
      "github",
      /access_tokens$/,
      reply(
        422,
        { "x-github-request-id": "ABC:1" },
        JSON.stringify({ message: `ghs_${"a".repeat(60)} ${"word ".repeat(200)}` }),
      ),
    );
    const { audit } = await world.ask("/token", { jwt: freshPipeline() });
    expect(audit["error"]).toContain("[removed]");
    expect(audit["error"]).not.toContain("ghs_");
    expect(audit["error"]).toContain("request ABC:1");
    expect(audit["error"].length).toBeLessThan(320);
  });

  test.each([
    ["more permissions", (grant: any) => ({ ...grant, permissions: { ...grant.permissions, issues: "write" } })],
    ["a stronger permission", (grant: any) => ({ ...grant, permissions: { ...grant.permissions, contents: "write" } })],
    ["all repositories", (grant: any) => ({ ...grant, repository_selection: "all", repositories: undefined })],
    [
      "another repository",
      (grant: any) => ({ ...grant, repositories: [{ name: "policy", owner: { login: "acme" } }] }),
    ],
    ["another owner", (grant: any) => ({ ...grant, repositories: [{ name: "gadget", owner: { login: "globex" } }] })],
    ["an expiry in the past", (grant: any) => ({ ...grant, expires_at: "2020-01-01T00:00:00Z" })],
    ["an expiry of a day", (grant: any) => ({ ...grant, expires_at: new Date(Date.now() + 86_400_000).toISOString() })],
  ])("a grant with %s is revoked, never sent, never cached: 500", async (_what, tamper) => {
    const jwt = freshPipeline();
    world.simulator.github.tamperGrant = tamper;
    const { status, text } = await world.ask("/token", { jwt });
    world.simulator.github.tamperGrant = undefined;
    expect(status).toBe(500);
    expect(text).not.toContain("ghs_");
    expect(world.simulator.github.isLive(world.simulator.github.issuedTokens().at(-1)?.token ?? "")).toBe(false);
    expect((await world.ask("/token", { jwt })).audit["token"].source).toBe("github");
  });

  test("a definitive refusal by GitHub is remembered for a while: a hostile loop costs one call", async () => {
    failing("github", /access_tokens$/, reply(422));
    const jwt = freshPipeline();
    for (let count = 0; count < 5; count++) expect((await world.ask("/token", { jwt })).status).toBe(403);
    const calls = world.simulator.journal.entries({ method: "POST", path: /access_tokens$/ });
    expect(calls.filter(({ status }) => status === 422).length).toBeGreaterThan(0);
    const before = calls.length;
    await world.ask("/token", { jwt });
    expect(world.simulator.journal.entries({ method: "POST", path: /access_tokens$/ }).length).toBe(before);
  });

  test("the issuer out of reach before any key is held: 503, Retry-After 5", async () => {
    await using blind = await startWorld();
    blind.simulator.interceptor = (_request, upstream) =>
      upstream === "oidc" ? new Response("", { status: 500 }) : undefined;
    const { status, headers, audit } = await blind.ask("/token");
    expect({ status, retryAfter: headers.get("retry-after") }).toEqual({ status: 503, retryAfter: "5" });
    expect(audit["authorization"]).toEqual({ authorized: false });
  });

  test("once keys are held, an issuer out of reach goes unnoticed", async () => {
    world.simulator.interceptor = (_request, upstream) =>
      upstream === "oidc" ? new Response("", { status: 500 }) : undefined;
    expect((await world.ask("/token", { jwt: world.jwt({ jti: "new" }) })).status).toBe(200);
  });

  test("one pipeline causes no more upstream calls than it may: 503 above", async () => {
    await using strict = await startWorld({ CALLER_UPSTREAM_CALLS_PER_MINUTE: "3" });
    strict.simulator.interceptor = (_request, upstream) =>
      upstream === "github" ? new Response("", { status: 500 }) : undefined;
    const answers = [];
    for (let count = 0; count < 6; count++) answers.push(await strict.ask("/token"));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 503));
    expect(answers.at(-1)?.audit["error"]).toContain("too many upstream calls by this pipeline");
    expect(strict.simulator.journal.entries({ upstream: "buildkite" }).length).toBeLessThanOrEqual(3);
  });

  test("an upstream that hangs: a reply comes within 10 seconds and a little", async () => {
    await using hung = await startWorld();
    hung.simulator.interceptor = (_request, upstream) =>
      upstream === "buildkite" ? new Promise(() => undefined) : undefined;
    const startedMs = performance.now();
    const { status, audit } = await hung.ask("/token");
    expect(status).toBe(503);
    expect(performance.now() - startedMs).toBeLessThan(20_500);
    expect(audit["error"]).toContain("buildkite: read pipeline: no complete reply in time");
  }, 30_000);
});
