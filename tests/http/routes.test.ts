import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { expectRefusal } from "../support/http-assertions.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
let based: TestWorld;
beforeAll(async () => {
  [world, based] = await Promise.all([
    startWorld({}, { policy: DEFAULT_POLICY }),
    startWorld({ SERVER_BASE_PATH: "a/b/" }),
  ]);
});
afterAll(async () => {
  await Promise.all([world[Symbol.asyncDispose](), based[Symbol.asyncDispose]()]);
});

const GIT_BODY = "protocol=https\nhost=github.com\npath=acme/widget\n\n";
const PLUGINS_BODY = "protocol=https\nhost=github.com\npath=acme/plugins\n\n";

async function plain(path: string, init: RequestInit = {}, target = world) {
  const before = target.bridge.audit.length;
  const response = await fetch(target.bridge.url + path, init);
  const text = await response.text();
  // A line would have been written before the reply.
  expect(target.bridge.audit.length).toBe(before);
  const { status, headers } = response;
  return { status, text, type: headers.get("content-type"), allow: headers.get("allow"), headers };
}

describe(`routes (${underTest})`, () => {
  test.each([
    ["/token", "repo:default"],
    ["/token/default", "repo:default"],
    ["/token/repo:default", "repo:default"],
    ["/token/repo%3Adefault", "repo:default"],
    ["/token/release-publisher", "repo:release-publisher"],
    ["/token/%72elease-publisher", "repo:release-publisher"],
    ["/organization/token/plugins", "org:plugins"],
    ["/organization/token/org:plugins", "org:plugins"],
    ["/organization/token/any-one-repository?repository-scope=gadget", "org:any-one-repository/gadget"],
  ])("POST %s answers in JSON for %s", async (path, profile) => {
    const { status, headers, json } = await world.ask(path);
    expect({ status, type: headers.get("content-type"), profile: json.profile }).toEqual({
      status: 200,
      type: "application/json",
      profile,
    });
  });

  test.each([
    ["/git-credentials", GIT_BODY],
    ["/git-credentials/default", GIT_BODY],
    ["/git-credentials/repo:release-publisher", GIT_BODY],
    ["/organization/git-credentials/plugins", PLUGINS_BODY],
    ["/organization/git-credentials/org:plugins", PLUGINS_BODY],
  ])("POST %s answers in git's format", async (path, body) => {
    const { status, headers, text } = await world.ask(path, { body });
    expect({ status, type: headers.get("content-type") }).toEqual({ status: 200, type: "text/plain" });
    expect(text).toMatch(/^protocol=https\nhost=github\.com\npath=acme\/\w+\nusername=x-access-token\npassword=ghs_/);
  });

  test("GET /healthcheck is 200, text/plain, OK, without authentication and without an audit entry", async () => {
    expect(await plain("/healthcheck")).toMatchObject({ status: 200, text: "OK", type: "text/plain" });
  });

  test("HEAD /healthcheck is 200 without a body", async () => {
    expect(await plain("/healthcheck", { method: "HEAD" })).toMatchObject({
      status: 200,
      text: "",
      type: "text/plain",
    });
  });

  test.each([
    "/",
    "/token/",
    "/token/a/b",
    "/token/a/",
    "/token//",
    "//token",
    "/Token",
    "/tokens",
    "/healthcheck/",
    "/healthcheck/x",
    "/git-credentials/",
    "/organization",
    "/organization/token",
    "/organization/token/",
    "/organization/git-credentials",
    "/organization//token/plugins",
    "/organization/token/plugins/",
    "/favicon.ico",
    "/%74oken",
    "/organization%2Ftoken/plugins",
  ])("POST %s is 404 in plain text, without an audit entry", async (path) => {
    const before = world.bridge.audit.length;
    const { status, text } = await sendRaw(
      world.bridge.port,
      `POST ${path} HTTP/1.1\r\nHost: bridge\r\nContent-Length: 0\r\n\r\n`,
      30,
    );
    expect(status).toBe(404);
    expect(text).toMatch(/content-type: text\/plain\r\n/i);
    expect(text).toEndWith("\r\n\r\nNot Found");
    expect(world.bridge.audit.length).toBe(before);
  });

  const TOKEN_PATHS = [
    "/token",
    "/token/x",
    "/git-credentials",
    "/git-credentials/x",
    "/organization/token/x",
    "/organization/git-credentials/x",
  ];
  test.each(TOKEN_PATHS.flatMap((path) => ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"].map((m) => [m, path] as const)))(
    "%s %s is 405 with Allow: POST, without an audit entry",
    async (method, path) => {
      expect(await plain(path, { method })).toMatchObject({
        status: 405,
        text: "Method Not Allowed",
        type: "text/plain",
        allow: "POST",
      });
    },
  );

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s /healthcheck is 405 with Allow: GET, HEAD", async (method) => {
    expect(await plain("/healthcheck", { method })).toMatchObject({ status: 405, allow: "GET, HEAD" });
  });

  test.each(["HEAD", "TRACE", "PROPFIND", "CONNECT"])("%s /token is 405", async (method) => {
    const { status, text } = await sendRaw(world.bridge.port, `${method} /token HTTP/1.1\r\nHost: bridge\r\n\r\n`, 30);
    expect(status).toBe(405);
    expect(text).toMatch(/allow: POST\r\n/i);
  });

  test("a method in lower case gets no token and no second chance", async () => {
    const { status } = await sendRaw(world.bridge.port, "post /token HTTP/1.1\r\nHost: bridge\r\n\r\n", 30);
    expect([0, 400, 405]).toContain(status);
  });

  test.each(["/%zz", "/token/a/%", "/nowhere/%ff", "/%c3%28"])("bad percent-encoding in %s is 400", async (path) => {
    expect(await plain(path, { method: "POST" })).toMatchObject({
      status: 400,
      text: "Bad Request",
      type: "text/plain",
    });
  });

  test.each(["/token/%zz", "/token/%", "/token/%f", "/token/%ff", "/organization/token/%C3%28"])(
    "bad percent-encoding of the profile in %s is 400 with an audit entry",
    async (path) => {
      const answer = await world.ask(path);
      expectRefusal(answer, "json", 400, "Bad Request");
      expect(answer.audit["token"].requestedProfile).toBe(path.slice(path.lastIndexOf("/") + 1));
    },
  );

  test("bad percent-encoding on a git route is 400 in the form of git routes", async () => {
    expectRefusal(await world.ask("/git-credentials/%zz", { body: GIT_BODY }), "git", 400, "Bad Request");
  });

  test.each([
    ["/token/org:plugins", "org:plugins"],
    ["/token/unknown:default", "unknown:default"],
    ["/token/repo:", "repo:"],
    ["/token/:default", ":default"],
    ["/token/:", ":"],
    ["/token/REPO:default", "REPO:default"],
    ["/organization/token/repo:default", "repo:default"],
    ["/organization/token/org%3A", "org:"],
  ])("the profile reference in %s is 400", async (path, requestedProfile) => {
    const answer = await world.ask(path);
    expectRefusal(answer, "json", 400, "Bad Request");
    expect(answer.audit["token"]).toEqual({ requestedProfile });
  });

  test.each([
    "/token/nobody",
    "/token/plugins",
    "/organization/token/release-publisher",
    "/token/repo:a:b",
    "/token/%252F",
  ])("%s names a profile that is not there: 404", async (path) => {
    expectRefusal(await world.ask(path), "json", 404, "profile not found");
  });

  test("a profile is percent-decoded once", async () => {
    const { status, audit } = await world.ask("/token/rel%2565ase");
    expect({ status, requested: audit["token"].requestedProfile }).toEqual({ status: 404, requested: "rel%65ase" });
  });

  test("dot segments are resolved by the runtime and reach no other route's rules", async () => {
    const { status } = await sendRaw(
      world.bridge.port,
      "POST /healthcheck/../token HTTP/1.1\r\nHost: bridge\r\nContent-Length: 0\r\n\r\n",
      30,
    );
    expect(status).toBe(401);
  });

  test("no reply names the server software", async () => {
    const replies = await Promise.all(
      ["/token", "/healthcheck", "/nowhere"].map((path) => fetch(world.bridge.url + path, { method: "POST" })),
    );
    for (const { headers } of replies) {
      expect(headers.get("server")).toBeNull();
      expect(headers.get("x-powered-by")).toBeNull();
    }
  });
});

describe(`SERVER_BASE_PATH=a/b/ (${underTest})`, () => {
  test("is stripped at a segment boundary", async () => {
    expect((await based.ask("/a/b/token")).status).toBe(200);
    expect(await plain("/a/b/healthcheck", {}, based)).toMatchObject({ status: 200, text: "OK" });
  });

  test.each([
    "/token",
    "/a/token",
    "/a/btoken",
    "/a/b",
    "/a/b/",
    "/a/b//token",
    "/x/a/b/token",
    "/A/b/token",
    "/healthcheck",
  ])("%s is 404", async (path) => {
    expect(await plain(path, { method: "POST" }, based)).toMatchObject({ status: 404, text: "Not Found" });
  });

  test("the audit entry has the path as it was sent", async () => {
    expect((await based.ask("/a/b/token/default")).audit["request"].path).toBe("/a/b/token/default");
  });
});
