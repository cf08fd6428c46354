import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { underTest } from "../support/bridge.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const head = (headers: string, path = "/token", jwt = world.jwt()) =>
  `POST ${path} HTTP/1.1\r\nHost: bridge\r\nAuthorization: Bearer ${jwt}\r\n${headers}\r\n`;

describe(`limits (${underTest})`, () => {
  test("a body of 20 KiB is read, one byte more is 413, with and without a length, on every route", async () => {
    expect((await world.ask("/token", { body: "x".repeat(20 * 1024) })).status).toBe(200);
    const tooLarge = await world.ask("/token", { body: "x".repeat(20 * 1024 + 1) });
    expect({ status: tooLarge.status, json: tooLarge.json }).toEqual({
      status: 413,
      json: { error: "Request Entity Too Large" },
    });
    expect(tooLarge.audit["request"].status).toBe(413);
    const git = await world.ask("/git-credentials", { body: "x".repeat(20 * 1024 + 1) });
    expect({ status: git.status, denied: git.headers.get("chinmina-denied") }).toEqual({
      status: 413,
      denied: "Request Entity Too Large",
    });
    const chunk = "x".repeat(8 * 1024);
    const chunked = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(3);
    const { status } = await sendRaw(world.bridge.port, `${head("Transfer-Encoding: chunked\r\n")}${chunked}0\r\n\r\n`);
    expect(status).toBe(413);
  });

  test("authentication comes before the size of the body", async () => {
    expect((await world.ask("/token", { jwt: "x", body: "x".repeat(30_000) })).status).toBe(401);
    expect((await world.ask("/token/org:x", { body: "x".repeat(30_000) })).status).toBe(400);
    expect((await world.ask("/token/nope", { body: "x".repeat(30_000) })).status).toBe(413);
  });

  test("more than 16 KiB of headers is 431 without an audit line, and the service goes on", async () => {
    const before = world.bridge.audit.length;
    expect((await sendRaw(world.bridge.port, head(`X-Big: ${"x".repeat(17 * 1024)}\r\n`))).status).toBe(431);
    expect(world.bridge.audit.length).toBe(before);
    expect((await world.ask("/token")).status).toBe(200);
  });

  test.each([["two Authorization headers", () => `Authorization: Bearer ${world.jwt()}\r\n`]])(
    "%s are an invalid token",
    async (_what, more) => {
      const { text } = await sendRaw(world.bridge.port, head(`${more()}Content-Length: 0\r\n`));
      expect(text).toContain("The access token is invalid");
    },
  );

  test.each([
    [
      "Content-Length and Transfer-Encoding",
      "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
      "0\r\n\r\nPOST /token HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ["two different lengths", "Content-Length: 4\r\nContent-Length: 5\r\n", "abcde"],
    ["a bad chunk size", "Transfer-Encoding: chunked\r\n", "zz\r\nabc\r\n0\r\n\r\n"],
    ["an unknown transfer encoding", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"],
    ["a negative length", "Content-Length: -1\r\n", ""],
  ])("smuggling by %s: one reply, 400, and nothing of the body becomes a request", async (_what, headers, body) => {
    const { status, replies } = await sendRaw(world.bridge.port, head(headers) + body, 150);
    expect({ status, replies }).toEqual({ status: 400, replies: 1 });
  });

  test("a chunked body that turns out bad gets one reply, not ours and then another", async () => {
    for (const path of ["/token", "/nowhere", "/healthcheck"]) {
      const parts = [`${head("Transfer-Encoding: chunked\r\n", path)}5\r\nhello\r\n`, "nonsense\r\n"];
      expect((await sendRaw(world.bridge.port, parts, 150)).replies).toBe(1);
    }
  });

  // The runtime closes the connection when a second request comes while the first is worked on; what it must never do is mix them up.
  test("pipelined requests never get each other's replies", async () => {
    const second = head("Content-Length: 0\r\n", "/token/nope");
    const { text } = await sendRaw(world.bridge.port, head("Content-Length: 0\r\n") + second, 150);
    expect(text).not.toStartWith("HTTP/1.1 404");
    expect((await sendRaw(world.bridge.port, second, 150)).status).toBe(404);
  });

  test("requests over SERVER_MAX_IN_FLIGHT get 503 with an audit line, and /healthcheck is not counted", async () => {
    await using small = await startWorld({ SERVER_MAX_IN_FLIGHT: "2" });
    const release = Promise.withResolvers<undefined>();
    small.simulator.interceptor = (_request, upstream) => (upstream === "buildkite" ? release.promise : undefined);
    const hanging = ["widget", "gadget"].map((slug) => small.ask("/token", { jwt: small.jwt({}, slug) }));
    while (small.simulator.journal.entries({ upstream: "buildkite" }).length < 2) await Bun.sleep(5);
    const { status, json, headers, audit } = await small.ask("/token", { jwt: small.jwt({}, "plugins") });
    expect({ status, json, retryAfter: headers.get("retry-after") }).toEqual({
      status: 503,
      json: { error: "Service Unavailable" },
      retryAfter: "5",
    });
    expect(audit["error"]).toBe("too many requests in work");
    expect((await fetch(`${small.bridge.url}/healthcheck`)).status).toBe(200);
    release.resolve(undefined);
    expect((await Promise.all(hanging)).map((answer) => answer.status)).toEqual([200, 200]);
  });

  test("a client that goes away is audited with 499, and what it joined serves the others", async () => {
    await using slow = await startWorld();
    const release = Promise.withResolvers<undefined>();
    slow.simulator.interceptor = (_request, upstream) => (upstream === "github" ? release.promise : undefined);
    const gone = new AbortController();
    const first = fetch(`${slow.bridge.url}/token`, {
      method: "POST",
      headers: { authorization: `Bearer ${slow.jwt()}`, "x-request-id": "gone" },
      signal: gone.signal,
    }).catch(() => undefined);
    const second = slow.ask("/token");
    while (slow.simulator.journal.entries({ upstream: "github" }).length < 1) await Bun.sleep(5);
    gone.abort();
    await first;
    const line = await slow.bridge.waitFor((one) => one["request"]?.id === "gone");
    expect({ status: line["request"].status, error: line["error"] }).toEqual({
      status: 499,
      error: "client closed request",
    });
    release.resolve(undefined);
    expect((await second).status).toBe(200);
  });

  test("X-Request-ID is kept when it is a plain word, replaced when it is not, and sent back", async () => {
    const send = (id: string) =>
      fetch(`${world.bridge.url}/token`, { method: "POST", headers: { "x-request-id": id } });
    expect((await send("build-7_a.b")).headers.get("x-request-id")).toBe("build-7_a.b");
    for (const bad of ["a b", "a".repeat(129), "a;b"])
      expect((await send(bad)).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("with one trusted proxy the audit entry has the address that it saw, never what the client wrote before it", async () => {
    await using proxied = await startWorld({ SERVER_TRUSTED_PROXY_HOPS: "1" });
    const { audit } = await proxied.ask("/token", { headers: { "x-forwarded-for": "6.6.6.6, 203.0.113.7" } });
    expect(audit["request"].forwardedFor).toBe("203.0.113.7");
    expect(
      (await world.ask("/token", { headers: { "x-forwarded-for": "203.0.113.7" } })).audit["request"],
    ).not.toHaveProperty("forwardedFor");
  });
});
