import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { expectRefusal } from "../support/http-assertions.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({ CALLER_UPSTREAM_CALLS_PER_MINUTE: "10000" }, { policy: DEFAULT_POLICY });
});
afterEach(() => {
  world.simulator.interceptor = undefined;
  world.simulator.github.tamperGrant = undefined;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

let fresh = 0;
const freshGit = () => ({ body: `protocol=https\nhost=github.com\npath=acme/fresh-${++fresh}\n` });
/** A request that no cache answers: a caller-scoped profile, a new name each time. */
const freshPath = () => `/organization/token/any-one-repository?repository-scope=fresh-${++fresh}`;

type Faulty = (request: Request) => Response | Promise<Response> | undefined;
const onMint = (answer: Faulty) => {
  world.simulator.interceptor = (request, upstream) =>
    upstream === "github" && request.url.endsWith("/access_tokens") ? answer(request) : undefined;
};
const onBuildkite = (answer: Faulty) => {
  world.simulator.interceptor = (request, upstream) => (upstream === "buildkite" ? answer(request) : undefined);
};
const message = (text: string, init: ResponseInit) => new Response(JSON.stringify({ message: text }), init);

describe(`GitHub's refusals (${underTest})`, () => {
  test.each([401, 403, 404, 422])("%d is a 403, its reason in the audit entry alone", async (status) => {
    onMint(() => message("Reason-of-GitHub", { status }));
    const answer = await world.ask(freshPath());
    expectRefusal(answer, "json", 403, "Forbidden");
    expect(answer.audit["error"]).toContain("Reason-of-GitHub");
    expect(answer.audit["error"]).toContain(String(status));
    expect(answer.audit["token"]).toMatchObject({
      app: "default",
      applicationID: 111,
      installationID: 222,
      matches: [],
    });
  });

  test("the same on git routes is an empty text with Chinmina-Denied", async () => {
    onMint(() => message("no", { status: 422 }));
    expectRefusal(
      await world.ask("/organization/git-credentials/any-one-repository", freshGit()),
      "git",
      403,
      "Forbidden",
    );
  });

  test("a definitive refusal is remembered for a while: GitHub is not asked again", async () => {
    let asked = 0;
    onMint(() => {
      asked += 1;
      return message("no", { status: 404 });
    });
    const path = freshPath();
    for (let index = 0; index < 3; index++) expectRefusal(await world.ask(path), "json", 403, "Forbidden");
    expect(asked).toBe(1);
  });
});

describe(`outages (${underTest})`, () => {
  test.each<readonly [string, Faulty, string]>([
    ["GitHub answers 500", () => message("oops", { status: 500 }), "5"],
    ["GitHub answers 502 without JSON", () => new Response("<html>", { status: 502 }), "5"],
    ["GitHub says to wait no time", () => message("slow", { status: 503, headers: { "retry-after": "0" } }), "1"],
    [
      "GitHub says to wait until a date that has passed",
      () => message("slow", { status: 503, headers: { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" } }),
      "1",
    ],
    [
      "GitHub says to wait until a date far ahead",
      () => message("slow", { status: 503, headers: { "retry-after": "Wed, 21 Oct 2099 07:28:00 GMT" } }),
      "60",
    ],
    [
      "GitHub says to wait for decades",
      () => message("slow", { status: 503, headers: { "retry-after": "1000000000" } }),
      "60",
    ],
    ["GitHub says what means nothing", () => message("slow", { status: 503, headers: { "retry-after": "-1.5" } }), "5"],
  ])("%s: 503 with Retry-After", async (_what, answer, retryAfter) => {
    onMint(answer);
    const json = await world.ask(freshPath());
    expectRefusal(json, "json", 503, "Service Unavailable");
    expect(json.headers.get("retry-after")).toBe(retryAfter);
    const git = await world.ask("/organization/git-credentials/any-one-repository", freshGit());
    expectRefusal(git, "git", 503, "Service Unavailable");
    expect(git.headers.get("retry-after")).toBe(retryAfter);
  });

  // Each in a world of its own: a limit holds back all that comes after it.
  test.each<readonly [string, Faulty, string, string]>([
    ["429 with a time", () => message("slow", { status: 429, headers: { "retry-after": "17" } }), "17", "17"],
    ["429 for an hour", () => message("slow", { status: 429, headers: { "retry-after": "3600" } }), "60", "60"],
    ["429 without a time", () => message("slow", { status: 429 }), "5", "60"],
    ["403 with a time", () => message("no", { status: 403, headers: { "retry-after": "9" } }), "9", "9"],
    [
      "403 with nothing left",
      () => message("no", { status: 403, headers: { "x-ratelimit-remaining": "0" } }),
      "5",
      "60",
    ],
    [
      "403 that speaks of a limit",
      () => message("You have exceeded a secondary rate limit", { status: 403 }),
      "5",
      "60",
    ],
  ])(
    "GitHub's limit, %s: 503 with Retry-After, and GitHub is left alone for so long",
    async (_what, answer, first, then) => {
      await using limited = await startWorld({}, { policy: DEFAULT_POLICY });
      let asked = 0;
      limited.simulator.interceptor = (request, upstream) => {
        if (upstream !== "github" || !request.url.endsWith("/access_tokens")) return undefined;
        asked += 1;
        return answer(request);
      };
      const json = await limited.ask(freshPath());
      expectRefusal(json, "json", 503, "Service Unavailable");
      expect(json.headers.get("retry-after")).toBe(first);
      const git = await limited.ask("/organization/git-credentials/any-one-repository", freshGit());
      expectRefusal(git, "git", 503, "Service Unavailable");
      expect(git.headers.get("retry-after")).toBe(then);
      expect(git.audit["error"]).toContain("rate limit: GitHub said to stay away");
      expect(asked).toBe(1);
      expect(limited.bridge.lines.filter((line) => line["message"] === "github rate limit reached")).toMatchObject([
        { level: "warn", app: { name: "default", applicationID: 111, installationID: 222 } },
      ]);
    },
    20_000,
  );

  test("one App's limit holds back no other", async () => {
    await using several = await startWorld({}, { policy: DEFAULT_POLICY, registry: true });
    several.simulator.interceptor = (request, upstream) =>
      upstream === "github" && request.url.endsWith("/installations/222/access_tokens")
        ? message("slow", { status: 429, headers: { "retry-after": "60" } })
        : undefined;
    for (let count = 0; count < 3; count++) expect((await several.ask(freshPath())).status).toBe(503);
    expect((await several.ask("/token/package-reader")).status).toBe(200);
  }, 20_000);

  test("what GitHub says of it is cut to 200 bytes, and its request id goes into the audit entry", async () => {
    onMint(() => message(`long ${"words ".repeat(100)}`, { status: 500, headers: { "x-github-request-id": "ABC:1" } }));
    const { audit } = await world.ask(freshPath());
    expect(audit["error"]).toContain("github: create installation token: long words");
    expect(audit["error"]).toContain("status 500, request ABC:1");
    expect(audit["error"].length).toBeLessThan(320);
  });

  test("once keys are held, an issuer out of reach goes unnoticed", async () => {
    await world.ask("/token");
    world.simulator.interceptor = (_request, upstream) =>
      upstream === "oidc" ? new Response("", { status: 500 }) : undefined;
    expect((await world.ask("/token", { jwt: world.jwt({ jti: "new" }) })).status).toBe(200);
  });

  test("a failure is not cached: the next request succeeds", async () => {
    const path = "/organization/token/any-one-repository?repository-scope=plugins";
    onMint(() => message("oops", { status: 500 }));
    expect((await world.ask(path)).status).toBe(503);
    world.simulator.interceptor = undefined;
    expect((await world.ask(path)).status).toBe(200);
  });

  test("a mint that was sent and failed is never sent again: it may have made a token", async () => {
    let asked = 0;
    onMint(() => {
      asked += 1;
      return message("oops", { status: 502 });
    });
    await world.ask(freshPath());
    expect(asked).toBe(1);
  });

  test("a read that fails for a moment is tried again, and nobody notices", async () => {
    let asked = 0;
    onBuildkite(() => (++asked === 1 ? new Response("", { status: 503 }) : undefined));
    expect((await world.ask("/token", { jwt: world.jwt({}, "plugins") })).status).toBe(200);
    expect(asked).toBe(2);
  });

  test.each([500, 502, 429])("Buildkite answers %d: 503", async (status) => {
    onBuildkite(() => new Response("{}", { status }));
    expectRefusal(
      await world.ask("/token", { jwt: world.jwt({}, "widget-without-suffix") }),
      "json",
      503,
      "Service Unavailable",
    );
  });

  test.each([
    [500, { "ratelimit-reset": "40" }, "5"],
    [429, { "ratelimit-reset": "40" }, "40"],
    [503, { "retry-after": "1000000000", "ratelimit-reset": "40" }, "60"],
  ])("Buildkite's %d with %p: Retry-After %s", async (status, headers, retryAfter) => {
    await using limited = await startWorld({}, { policy: DEFAULT_POLICY });
    limited.simulator.interceptor = (_request, upstream) =>
      upstream === "buildkite" ? new Response("{}", { status, headers }) : undefined;
    const { headers: replied } = await limited.ask("/token");
    expect(replied.get("retry-after")).toBe(retryAfter);
  });

  test.each([401, 403, 404])("Buildkite answers %d: the pipeline cannot be read, 500", async (status) => {
    onBuildkite(() => new Response("{}", { status }));
    const answer = await world.ask("/token", { jwt: world.jwt({}, "widget-without-suffix") });
    expectRefusal(answer, "json", 500, "Internal Server Error");
    expect(answer.audit["error"]).toContain(String(status));
  });

  test("an upstream that cannot be reached at all: 503", async () => {
    await using lost = await startWorld({ BUILDKITE_API_URL: "http://127.0.0.1:1" });
    const answer = await lost.ask("/token");
    expectRefusal(answer, "json", 503, "Service Unavailable");
    expect(answer.audit["error"]).toContain("ECONNREFUSED");
  });

  test("the App's account is not known yet: 503 for whatever names a repository", async () => {
    await using lost = await startWorld(
      {},
      {
        policy: DEFAULT_POLICY,
        prepare: (simulator) => {
          simulator.interceptor = (request, upstream) =>
            upstream === "github" && /\/installations\/\d+$/.test(request.url)
              ? message("x", { status: 404 })
              : undefined;
        },
      },
    );
    expectRefusal(await lost.ask("/token"), "json", 503, "Service Unavailable");
    expectRefusal(await lost.ask("/organization/token/plugins"), "json", 503, "Service Unavailable");
    expect((await lost.ask("/organization/token/everything")).status).toBe(200);
  });
});

describe(`replies that break the upstream's own rules (${underTest})`, () => {
  const grant = (change: Record<string, unknown>) => (all: Record<string, unknown>) => ({ ...all, ...change });

  test.each<readonly [string, Faulty]>([
    ["no JSON", () => new Response("<html>", { status: 201 })],
    ["a list", () => new Response("[]", { status: 201 })],
    ["nothing", () => new Response("", { status: 201 })],
    ["a redirect", () => new Response("", { status: 302, headers: { location: "/elsewhere" } })],
    ["a reply of 5 MiB", () => new Response(JSON.stringify({ token: "x".repeat(5 * 1024 * 1024) }), { status: 201 })],
    ["a status of its own", () => new Response("{}", { status: 304 })],
  ])("%s: 500, and no token", async (_what, answer) => {
    onMint(answer);
    expectRefusal(await world.ask(freshPath()), "json", 500, "Internal Server Error");
  });

  test.each<readonly [string, Record<string, unknown>]>([
    ["no token", { token: undefined }],
    ["a token that is a number", { token: 1 }],
    ["an empty token", { token: "" }],
    ["a token with a line break, which would forge lines of git's format", { token: "ghs_x\npassword=evil" }],
    ["a token with a NUL", { token: "ghs_\0" }],
    ["no expiry", { expires_at: undefined }],
    ["an expiry that is no time", { expires_at: "tomorrow" }],
    ["no permissions", { permissions: undefined }],
    ["a selection it does not know", { repository_selection: "some" }],
  ])("a grant with %s: 500, and no token", async (_what, change) => {
    world.simulator.github.tamperGrant = grant(change);
    expectRefusal(
      await world.ask("/organization/token/any-one-repository?repository-scope=policy"),
      "json",
      500,
      "Internal Server Error",
    );
  });

  test.each<readonly [string, Record<string, unknown>]>([
    ["more permissions", { permissions: { contents: "read", metadata: "read", issues: "read" } }],
    ["a higher permission", { permissions: { contents: "write", metadata: "read" } }],
    ["all repositories", { repository_selection: "all", repositories: undefined }],
    ["another repository", { repositories: [{ name: "widget", owner: { login: "acme" } }] }],
    [
      "one more repository",
      {
        repositories: ["policy", "widget"].map((name) => ({ name, owner: { login: "acme" } })),
      },
    ],
    ["another owner's repository", { repositories: [{ name: "policy", owner: { login: "globex" } }] }],
    ["an expiry two hours ahead", { expires_at: new Date(Date.now() + 7_200_000).toISOString() }],
    ["an expiry in the past", { expires_at: new Date(Date.now() - 1000).toISOString() }],
  ])("a grant of %s: revoked, never sent, never cached, 500", async (_what, change) => {
    const { github } = world.simulator;
    github.tamperGrant = grant(change);
    const path = "/organization/token/any-one-repository?repository-scope=policy";
    const answer = await world.ask(path);
    expectRefusal(answer, "json", 500, "Internal Server Error");
    expect(answer.audit["error"]).toContain("granted");
    expect(answer.audit["error"]).toContain("revoked");
    expect(github.isLive(github.issuedTokens().at(-1)?.token ?? "")).toBe(false);
    const again = await world.ask(path);
    expect(again.status).toBe(500);
  });
});

describe(`rules and policy (${underTest})`, () => {
  test("match conditions not met: 403, what was tried in the audit entry", async () => {
    const answer = await world.ask("/token/release-publisher", { jwt: world.jwt({ build_branch: "feature" }) });
    expectRefusal(answer, "json", 403, "Forbidden");
    expect(answer.audit["authorization"].authorized).toBe(true);
    expect(answer.audit["token"]).toMatchObject({
      requestedProfile: expect.stringMatching(
        /^profile:\/\/organization\/acme\/pipeline\/.+\/widget\/profile\/release-publisher$/,
      ),
      app: "default",
      attemptedPatterns: [{ claim: "build_branch", pattern: "main", value: "feature" }],
    });
    expect(answer.audit["token"]).not.toHaveProperty("matches");
  });

  test.each([
    ["white space", "main branch"],
    ["a control character", "main\u0007"],
    ["more than 256 characters", "m".repeat(257)],
    ["a Unicode space", "main\u00a0x"],
  ])("a claim value with %s that a rule reads: 403", async (_what, build_branch) => {
    const answer = await world.ask("/token/release-publisher", { jwt: world.jwt({ build_branch }) });
    expectRefusal(answer, "json", 403, "Forbidden");
    expect(answer.audit["error"]).toContain("build_branch");
  });

  test("a profile that the file has wrong: 404, the reason in the audit entry alone", async () => {
    await using broken = await startWorld(
      {},
      {
        policy: `organization:\n  profiles:\n    - {name: bad, repositories: [a/b], permissions: ["contents:read"]}\n`,
      },
    );
    const answer = await broken.ask("/organization/token/bad");
    expectRefusal(answer, "json", 404, "profile unavailable: validation failed");
    expect(answer.audit["error"]).toStartWith(`profile "bad" unavailable: `);
    expect(answer.audit["token"]).toEqual({ requestedProfile: "bad" });
  });

  test("a profile whose App is not configured: 404, with the same words to the caller", async () => {
    const answer = await world.ask("/token/package-reader");
    expectRefusal(answer, "json", 404, "profile unavailable: validation failed");
    expect(answer.audit["error"]).toBe(
      `profile "package-reader" unavailable: app "packages" is not a configured, enabled application`,
    );
  });
});

describe(`what one pipeline may cause (${underTest})`, () => {
  test("above CALLER_UPSTREAM_CALLS_PER_MINUTE: 503 with Retry-After, others unharmed", async () => {
    await using small = await startWorld({ CALLER_UPSTREAM_CALLS_PER_MINUTE: "3" }, { policy: DEFAULT_POLICY });
    const ask = (name: string, pipeline = "widget") =>
      small.ask(`/organization/token/any-one-repository?repository-scope=${name}`, { jwt: small.jwt({}, pipeline) });
    for (const name of ["widget", "gadget", "plugins"]) expect((await ask(name)).status).toBe(200);
    const answer = await ask("policy");
    expectRefusal(answer, "json", 503, "Service Unavailable");
    expect(Number(answer.headers.get("retry-after"))).toBeWithin(55, 61);
    expect(answer.audit["error"]).toContain("too many upstream calls");
    expect((await ask("widget")).status).toBe(200);
    expect((await ask("policy", "gadget")).status).toBe(200);
  });
});
