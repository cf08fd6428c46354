import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ROUTES } from "../../src/http/routes.ts";
import { underTest } from "../support/bridge.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
let based: TestWorld;
beforeAll(async () => {
  [world, based] = await Promise.all([startWorld(), startWorld({ SERVER_BASE_PATH: "api/v1/" })]);
});
afterAll(() => Promise.all([world[Symbol.asyncDispose](), based[Symbol.asyncDispose]()]));

const raw = (line: string, headers = "Host: bridge\r\n") =>
  sendRaw(world.bridge.port, `${line} HTTP/1.1\r\n${headers}Content-Length: 0\r\n\r\n`, 60);

describe(`routes (${underTest})`, () => {
  test.each(
    ROUTES.filter(({ kind }) => kind === "token").map(({ pattern }) => pattern.replace("{profile}", "default")),
  )("POST %s is known, and asks for credentials before anything else", async (path) => {
    expect((await world.ask(path, { jwt: null })).status).toBe(401);
  });

  test.each(["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])(
    "%s on a token route is 405 with Allow and no audit line",
    async (method) => {
      const before = world.bridge.audit.length;
      const response = await fetch(`${world.bridge.url}/token/default`, { method });
      expect({
        status: response.status,
        allow: response.headers.get("allow"),
        type: response.headers.get("content-type"),
      }).toEqual({
        status: 405,
        allow: "POST",
        type: "text/plain",
      });
      if (method !== "HEAD") expect(await response.text()).toBe("Method Not Allowed");
      expect(world.bridge.audit.length).toBe(before);
    },
  );

  test("HEAD /healthcheck is 200 without a body, POST is 405", async () => {
    const head = await fetch(`${world.bridge.url}/healthcheck`, { method: "HEAD" });
    expect({ status: head.status, text: await head.text() }).toEqual({ status: 200, text: "" });
    const post = await fetch(`${world.bridge.url}/healthcheck`, { method: "POST" });
    expect({ status: post.status, allow: post.headers.get("allow") }).toEqual({ status: 405, allow: "GET, HEAD" });
  });

  test.each([
    "/",
    "/token/a/b",
    "/organization/token",
    "/organization/token/",
    "/git-credentials//x",
    "/organization",
    "/healthcheck/x",
  ])("POST %s is 404", async (path) => {
    const before = world.bridge.audit.length;
    expect((await raw(`POST ${path}`)).text).toEndWith("Not Found");
    expect(world.bridge.audit.length).toBe(before);
  });

  test("dot segments are resolved before routing, and never reach another route's profile", async () => {
    expect((await raw("POST /x/../token")).status).toBe(401);
    expect((await raw("POST /token/..")).status).toBe(404);
  });

  test.each(["/token/%zz", "/token/%", "/token/%f"])(
    "bad percent-encoding in %s is 400, after authentication",
    async (path) => {
      expect((await raw(`POST ${path}`)).status).toBe(401);
      const { status, text } = await raw(`POST ${path}`, `Host: bridge\r\nAuthorization: Bearer ${world.jwt()}\r\n`);
      expect(status).toBe(400);
      expect(text).toEndWith(`{"error":"Bad Request"}`);
    },
  );

  test("bad percent-encoding elsewhere is 400 in plain text", async () => {
    expect((await raw("POST /%zz")).status).toBe(400);
  });

  test.each(["", "Host: a b\r\n", "Host: u:p@bridge\r\n", "Host: a, b\r\n", "Host: a\r\nHost: b\r\n", "Host: a/b\r\n"])(
    "a Host that is not one host[:port] is 400 (%p)",
    async (host) => {
      expect((await raw("POST /token", host)).status).toBe(400);
    },
  );

  test.each(["Host: a\r\n", "Host: bridge:8080\r\n", "Host: [::1]:80\r\n", "Host: evil.example\r\n"])(
    "a Host never decides where a request goes (%p)",
    async (host) => {
      expect((await raw("POST /token", host)).status).toBe(401);
      expect((await raw("POST /abc/healthcheck", host)).status).toBe(404);
    },
  );

  test("the base path is stripped at a segment boundary, with its leading slash added and trailing ones dropped", async () => {
    expect((await fetch(`${based.bridge.url}/api/v1/healthcheck`)).status).toBe(200);
    expect((await based.ask("/api/v1/token")).status).toBe(200);
    for (const path of ["/token", "/api/v1token", "/api/v1", "/api/v1/", "/api/token", "/healthcheck"]) {
      expect((await fetch(based.bridge.url + path, { method: "POST" })).status).toBe(404);
    }
  });
});

describe(`a profile reference (${underTest})`, () => {
  test.each([
    ["/token/default", 200],
    ["/token/repo:default", 200],
    ["/token/repo%3Adefault", 200],
    ["/token/org:x", 400],
    ["/token/user:x", 400],
    ["/token/repo:", 400],
    ["/token/:x", 400],
    ["/organization/token/repo:x", 400],
    ["/organization/token/org:", 400],
    ["/organization/token/x", 404],
    ["/token/x", 404],
    ["/token/a%2Fb", 404],
    ["/token/repo:a:b", 404],
    ["/token/Default", 404],
    ["/token/%00", 404],
  ])("%s is %d", async (path, status) => {
    const answer = await world.ask(path);
    expect(answer.status).toBe(status);
    if (status === 400) expect(answer.json).toEqual({ error: "Bad Request" });
    if (status === 404) expect(answer.json).toEqual({ error: "profile not found" });
    if (status !== 200) expect(answer.audit["token"]).not.toHaveProperty("app");
  });
});
