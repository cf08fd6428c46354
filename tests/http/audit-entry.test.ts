import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({ SERVER_TRUSTED_PROXY_HOPS: "2" }, { policy: DEFAULT_POLICY });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** The lines as they were written, not as they parse. */
const rawLineOf = (id: string) =>
  world.bridge
    .output()
    .split("\n")
    .find((line) => line.includes(`"id":"${id}"`)) ?? "";

describe(`the audit entry (${underTest})`, () => {
  test("one line for every request to a token or git-credentials route, whatever its outcome", async () => {
    const before = world.bridge.audit.length;
    const outcomes = [
      await world.ask("/token"),
      await world.ask("/token", { jwt: null }),
      await world.ask("/token", { jwt: "x" }),
      await world.ask("/token/%zz"),
      await world.ask("/token/nobody"),
      await world.ask("/token", { body: "x".repeat(30_000) }),
      await world.ask("/git-credentials", { body: "" }),
      await world.ask("/git-credentials", { body: "host=x\n" }),
      await world.ask("/organization/token/any-one-repository"),
      await world.ask("/organization/token/everything", { jwt: world.jwt({}, "gadget") }),
      await world.ask("/token", { jwt: world.jwt({}, "on-another-host") }),
      await world.ask("/token", { jwt: world.jwt({}, "without-repository") }),
    ];
    expect(outcomes.map(({ audit }) => audit["request"].status)).toEqual(outcomes.map(({ status }) => status));
    expect(outcomes.map(({ status }) => status)).toEqual([200, 401, 401, 400, 404, 413, 200, 400, 400, 403, 204, 500]);
    expect(world.bridge.audit.length - before).toBe(outcomes.length);
  });

  test("instance is one for a start and sequence has no gaps, under load as well", async () => {
    const jwt = world.jwt();
    await Promise.all(
      Array.from({ length: 300 }, (_, index) => world.ask(index % 3 === 0 ? "/token/nobody" : "/token", { jwt })),
    );
    const lines = world.bridge.audit;
    expect(new Set(lines.map((line) => line["instance"])).size).toBe(1);
    expect(lines.map((line) => line["sequence"])).toEqual(lines.map((_, index) => index + 1));
  });

  test("two starts have two instances", async () => {
    await using other = await startWorld();
    const { audit } = await other.ask("/token");
    expect(audit["sequence"]).toBe(1);
    expect(audit["instance"]).not.toBe((await world.ask("/token")).audit["instance"]);
  });

  test("what a client supplies is cut to 512 bytes at a character boundary, the line to 12 KiB", async () => {
    const agent = "é".repeat(1000);
    const { audit } = await world.ask(`/token/${"p".repeat(3000)}`, { headers: { "user-agent": "a".repeat(3000) } });
    expect(audit["request"].userAgent).toBe(`${"a".repeat(509)}…`);
    expect(audit["token"].requestedProfile).toBe(`${"p".repeat(509)}…`);
    expect(Buffer.byteLength(audit["request"].path)).toBeLessThanOrEqual(512);
    const branch = await world.ask("/token", { jwt: world.jwt({ build_branch: agent }) });
    expect(branch.audit["pipeline"].buildBranch).toBe(`${"é".repeat(254)}…`);
    for (const line of world.bridge.output().split("\n"))
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(12 * 1024);
  });

  test("control characters, U+2028 and what is not Unicode cannot forge a line or move a cursor", async () => {
    const { audit } = await world.ask("/token", {
      jwt: world.jwt({ build_branch: `x\n{"level":"audit"}\u001b[2J\u2028\u2029\u0085\u009b` }),
    });
    const line = rawLineOf(audit["request"].id);
    expect(line).toMatch(/^[\x20-\x7e\u00a0-\u2027\u202a-\uffff]+$/);
    expect(line).toContain(String.raw`x\n{\"level\":\"audit\"}\u001b[2J\u2028\u2029\u0085\u009b`);
    expect(audit["pipeline"].buildBranch).toBe(`x\n{"level":"audit"}\u001b[2J\u2028\u2029\u0085\u009b`);
  });

  test.each([
    ["a NUL", "%00"],
    ["a line feed", "%0a%7B%7D"],
    ["an escape sequence", "%1b%5b2J"],
    ["a line separator", "%E2%80%A8"],
  ])("a profile with %s is one line, escaped", async (_what, profile) => {
    const { status, audit } = await world.ask(`/token/${profile}`);
    expect(status).toBe(404);
    expect(audit["token"].requestedProfile).toBe(decodeURIComponent(profile));
    expect(rawLineOf(audit["request"].id)).toMatch(/^[\x20-\x7e]+$/);
  });

  test("a user agent of bytes that are not ASCII is one line of valid UTF-8", async () => {
    const { status } = await sendRaw(
      world.bridge.port,
      "POST /token HTTP/1.1\r\nHost: bridge\r\nX-Request-Id: bytes\r\nUser-Agent: \xff\xfe\x80\r\nContent-Length: 0\r\n\r\n",
      50,
    );
    expect(status).toBe(401);
    const line = await world.bridge.waitFor((one) => one["request"]?.id === "bytes");
    expect(line["request"].userAgent).toBeString();
    expect(rawLineOf("bytes").isWellFormed()).toBe(true);
  });

  test.each([
    ["sane-ID_1.2", true],
    ["a".repeat(128), true],
    ["a".repeat(129), false],
    ["has space", false],
    ['quo"te', false],
    ["semi;colon", false],
    ["", false],
  ])("an incoming x-request-id %j is kept only when it is sane", async (id, isKept) => {
    const response = await fetch(`${world.bridge.url}/token`, { method: "POST", headers: { "x-request-id": id } });
    const answered = response.headers.get("x-request-id");
    if (isKept) expect(answered).toBe(id);
    else expect(answered).toMatch(/^[0-9a-f-]{36}$/);
    const line = await world.bridge.waitFor((one) => one["request"]?.id === answered);
    expect(line["request"].status).toBe(401);
  });

  test.each([
    ["1.1.1.1", undefined],
    ["1.1.1.1, 2.2.2.2", "1.1.1.1"],
    ["evil, 1.1.1.1, 2.2.2.2", "1.1.1.1"],
    ["evil\u0009,, 1.1.1.1 ,2.2.2.2", "1.1.1.1"],
  ])(
    "SERVER_TRUSTED_PROXY_HOPS=2: X-Forwarded-For %j is forwardedFor %p; sourceIP stays the peer",
    async (header, expected) => {
      const { audit } = await world.ask("/token", { headers: { "x-forwarded-for": header } });
      expect(audit["request"].forwardedFor).toBe(expected);
      expect(audit["request"].sourceIP).toMatch(/^127\.0\.0\.1:\d+$/);
    },
  );

  test("without trusted proxies X-Forwarded-For means nothing", async () => {
    await using direct = await startWorld();
    const { audit } = await direct.ask("/token", { headers: { "x-forwarded-for": "1.1.1.1, 2.2.2.2" } });
    expect(audit["request"]).not.toHaveProperty("forwardedFor");
  });

  test("an IPv6 peer stands in brackets, an IPv4 peer of an IPv6 socket as IPv4", async () => {
    await using both = await startWorld({ SERVER_HOST: "::" });
    for (const [host, pattern] of [
      ["[::1]", /^\[::1\]:\d+$/],
      ["127.0.0.1", /^127\.0\.0\.1:\d+$/],
    ] as const) {
      const id = host.replaceAll(/\W/g, "-");
      await fetch(`http://${host}:${both.bridge.port}/token`, { method: "POST", headers: { "x-request-id": id } });
      const line = await both.bridge.waitFor((one) => one["request"]?.id === id);
      expect(line["request"].sourceIP).toMatch(pattern);
    }
  });

  test("times are whole seconds of UTC, and remaining lifetimes whole seconds", async () => {
    const { audit } = await world.ask("/token");
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
    expect(audit["time"]).toMatch(time);
    expect(audit["authorization"].expiry).toMatch(time);
    expect(audit["token"].expiry).toMatch(time);
    expect(audit["authorization"].expiryRemaining).toBeWithin(200, 301);
    expect(audit["token"].expiryRemaining).toBeWithin(3000, 3601);
    expect(Number.isInteger(audit["token"].expiryRemaining)).toBe(true);
  });

  test("matches is [] for a profile without rules, the rules that held for one with, absent when matching was not reached", async () => {
    expect((await world.ask("/token")).audit["token"].matches).toEqual([]);
    expect((await world.ask("/token/release-publisher")).audit["token"].matches).toEqual([
      { claim: "build_branch", value: "main" },
    ]);
    expect((await world.ask("/organization/token/any-one-repository")).audit["token"]).not.toHaveProperty("matches");
  });

  test("the profile's canonical name from the moment it resolves, what was sent until then, also without credentials", async () => {
    const name = async (path: string, jwt?: string | null) =>
      (await world.ask(path, jwt === undefined ? {} : { jwt })).audit["token"].requestedProfile;
    expect(await name("/token/nobody")).toBe("nobody");
    expect(await name("/token/repo:default", null)).toBe("repo:default");
    expect(await name("/organization/token/org:plugins")).toBe("profile://organization/acme/profile/plugins");
    expect(await name("/organization/token/any-one-repository")).toBe(
      "profile://organization/acme/profile/any-one-repository",
    );
  });

  test("the line is there before the reply", async () => {
    const jwt = world.jwt();
    for (let round = 0; round < 50; round++) {
      const id = `before-${round}`;
      await fetch(`${world.bridge.url}/token`, {
        method: "POST",
        headers: { authorization: `Bearer ${jwt}`, "x-request-id": id },
      });
      // Only what the pipe holds already is read here: nothing that comes later can help.
      await new Promise((resolve) => setImmediate(resolve));
      await world.bridge.waitFor((line) => line["request"]?.id === id);
    }
  });
});

/** No token, JWT, App JWT, key, API token or body in any output, at the most talkative level. */
describe(`secrets (${underTest})`, () => {
  test("never reach any output, whatever is asked and whatever fails", async () => {
    const CANARY = "canary-7f3e91";
    const bearers = new Set<string>();
    await using talkative = await startWorld(
      { LOG_LEVEL: "debug", DEV_DISCLOSE_APP_IDENTIFIERS: "true" },
      {
        policy: DEFAULT_POLICY,
        registry: true,
        prepare: (simulator) => {
          simulator.interceptor = (request) => {
            bearers.add(request.headers.get("authorization")?.replace(/^\w+ /, "") ?? CANARY);
            return undefined;
          };
        },
      },
    );
    const { simulator, bridge } = talkative;
    const jwts: string[] = [];
    const ask = async (path: string, body = CANARY, jwt = talkative.jwt({}, "widget")) => {
      jwts.push(jwt);
      return talkative.ask(path, { jwt, body });
    };
    const git = `protocol=https\nhost=github.com\npath=acme/widget\nusername=${CANARY}\npassword=${CANARY}\n`;
    const everything = async () => {
      for (const path of ["/token", "/token/package-reader", "/organization/token/everything", "/token/nobody"])
        await ask(path);
      for (const path of ["/git-credentials", "/organization/git-credentials/any-one-repository"]) await ask(path, git);
      await ask("/token", CANARY, `${talkative.jwt()}x`);
      await ask("/token", CANARY, talkative.jwt({ aud: "other" }));
      await ask("/git-credentials", `${git}\0${CANARY}`);
      await talkative.ask("/token", { jwt: null, headers: { authorization: `Basic ${btoa(CANARY)}`, cookie: CANARY } });
    };
    await everything();
    const echo = (status: number) => {
      simulator.interceptor = async (request, upstream) => {
        if (upstream === "oidc") return undefined;
        const said = `${request.headers.get("authorization")} ${await request.text()}`;
        bearers.add(request.headers.get("authorization")?.replace(/^\w+ /, "") ?? CANARY);
        return Response.json({ message: said, error: said }, { status, headers: { "x-github-request-id": said } });
      };
    };
    for (const [index, status] of [401, 403, 404, 422, 429, 500, 200, 302].entries()) {
      echo(status);
      await ask(`/organization/token/any-one-repository?repository-scope=echo-${index}`);
      await ask("/token", CANARY, talkative.jwt({}, "widget-without-suffix"));
    }
    simulator.interceptor = undefined;
    simulator.github.tamperGrant = (grant) => ({ ...grant, permissions: { administration: "write" } });
    await ask("/organization/token/any-one-repository?repository-scope=plugins");
    await bridge.stop();
    const output = bridge.output();
    expect(output.length).toBeGreaterThan(10_000);
    const secrets = [
      CANARY,
      btoa(CANARY),
      simulator.world.buildkite.apiTokens[0]?.token ?? "",
      ...jwts.flatMap((jwt) => [jwt, jwt.split(".")[2] ?? "", jwt.split(".")[1] ?? ""]),
      ...bearers,
      ...[...bearers].flatMap((bearer) => bearer.split(".").slice(1)),
      ...simulator.github.issuedTokens().map(({ token }) => token),
      ...simulator.environment({ registry: true })["GITHUB_APP_PRIVATE_KEY"]!.split("\n").slice(1, -2),
      "PRIVATE KEY",
    ].filter((secret) => secret.length > 0);
    expect(secrets.length).toBeGreaterThan(100);
    for (const secret of secrets) expect(output.includes(secret)).toBe(false);
  });
});
