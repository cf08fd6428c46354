import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { underTest } from "../support/bridge.ts";
import { expectRefusal } from "../support/http-assertions.ts";
import { sendRaw } from "../support/raw-http.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const KIB = 1024;
const raw = (request: string | readonly string[], quietMs?: number) => sendRaw(world.bridge.port, request, quietMs);
const head = (...headers: string[]) =>
  `POST /token HTTP/1.1\r\nHost: bridge\r\n${headers.map((h) => `${h}\r\n`).join("")}\r\n`;
const bearer = () => `Authorization: Bearer ${world.jwt()}`;
const stillHealthy = async () => expect((await fetch(`${world.bridge.url}/healthcheck`)).status).toBe(200);

async function* pieces(bytes: number) {
  for (let left = bytes; left > 0; left -= 4 * KIB) yield new Uint8Array(Math.min(left, 4 * KIB)).fill(0x61);
}

describe(`bodies (${underTest})`, () => {
  test.each([20 * KIB, 20 * KIB - 1, 1, 0])(
    "of %d bytes are read, whether or not their length is announced",
    async (size) => {
      expect((await world.ask("/token", { body: "a".repeat(size) })).status).toBe(200);
      expect((await world.ask("/token", { body: pieces(size) })).status).toBe(200);
    },
  );

  test.each([20 * KIB + 1, 64 * KIB, 1000 * KIB])(
    "of %d bytes are 413 in the form of the route, with an audit entry",
    async (size) => {
      expectRefusal(await world.ask("/token", { body: "a".repeat(size) }), "json", 413, "Request Entity Too Large");
      expectRefusal(await world.ask("/token", { body: pieces(size) }), "json", 413, "Request Entity Too Large");
      expectRefusal(
        await world.ask("/git-credentials", { body: pieces(size) }),
        "git",
        413,
        "Request Entity Too Large",
      );
    },
  );

  test("over the runtime's own limit are refused by it, without a body and without an audit entry", async () => {
    const before = world.bridge.audit.length;
    const { status, text } = await raw(head(bearer(), `Content-Length: ${64 * KIB * KIB}`));
    expect(status).toBe(413);
    expect(text).toEndWith("\r\n\r\n");
    expect(world.bridge.audit.length).toBe(before);
  });

  test("without end are cut off, and leave an audit entry", async () => {
    const before = world.bridge.audit.length;
    const chunk = `8000\r\n${"a".repeat(0x8000)}\r\n`;
    const { status, replies } = await raw([head(bearer(), "Transfer-Encoding: chunked"), ...Array(40).fill(chunk)]);
    expect(status).toBe(413);
    expect(replies).toBe(1);
    await world.bridge.waitFor((line) => line["sequence"] > before);
    expect(world.bridge.audit.at(-1)?.["request"].status).toBe(413);
  });

  test("of requests that are 401, 404 and 405 are read to their end before the reply, so that there is one reply", async () => {
    const bodies = [
      "5\r\nhello\r\n0\r\n\r\n",
      "5\r\nhello\r\nZZ\r\n",
      "5\r\nhelloXX\r\n0\r\n\r\n",
      "-1\r\n",
      "ffffffffffffffffff\r\n",
    ];
    for (const path of ["/token", "/git-credentials", "/nowhere", "/healthcheck"]) {
      for (const body of bodies) {
        const { replies, status } = await raw(
          [`POST ${path} HTTP/1.1\r\nHost: bridge\r\nTransfer-Encoding: chunked\r\n\r\n`, body],
          60,
        );
        expect({ path, body, replies }).toEqual({ path, body, replies: 1 });
        expect(status).toBeGreaterThanOrEqual(400);
      }
    }
  });

  test("a large body that turns out bad after its limit gets one reply too", async () => {
    const chunk = `8000\r\n${"a".repeat(0x8000)}\r\n`;
    const { replies } = await raw([head(bearer(), "Transfer-Encoding: chunked"), chunk, chunk, "ZZ\r\n"]);
    expect(replies).toBe(1);
  });

  test("bad trailers get one reply", async () => {
    const { replies } = await raw(head(bearer(), "Transfer-Encoding: chunked") + "1\r\na\r\n0\r\nbad trailer\r\n\r\n");
    expect(replies).toBe(1);
  });

  test("Expect: 100-continue is answered before the body is sent", async () => {
    const { text } = await raw([head(bearer(), "Expect: 100-continue", "Content-Length: 1"), "a"]);
    expect(text).toContain("HTTP/1.1 100 Continue");
    expect(text).toContain("HTTP/1.1 200 OK");
  });
});

describe(`headers (${underTest})`, () => {
  test("a realistic amount is fine", async () => {
    const { status } = await raw(
      head(bearer(), "Content-Length: 0", ...Array.from({ length: 80 }, (_, i) => `X-${i}: ${"a".repeat(80)}`)),
    );
    expect(status).toBe(200);
  });

  test.each([
    ["more than 16 KiB", [`X-Large: ${"a".repeat(17 * KIB)}`]],
    ["more than 150 lines", Array.from({ length: 220 }, (_, i) => `X-${i}: a`)],
  ])("%s are 431 by the runtime, without an audit entry", async (_what, headers) => {
    const before = world.bridge.audit.length;
    const { status, text } = await raw(head("Content-Length: 0", ...headers));
    expect(status).toBe(431);
    expect(text).toEndWith("\r\n\r\n");
    expect(world.bridge.audit.length).toBe(before);
    await stillHealthy();
  });

  test("a target of more than 16 KiB is refused", async () => {
    const { status } = await raw(`POST /token/${"a".repeat(17 * KIB)} HTTP/1.1\r\nHost: bridge\r\n\r\n`);
    expect([414, 431]).toContain(status);
  });

  test.each([
    ["none", "POST /token HTTP/1.1\r\n"],
    ["an empty one", "POST /token HTTP/1.1\r\nHost: \r\n"],
    ["two", "POST /token HTTP/1.1\r\nHost: a\r\nHost: b\r\n"],
    ["a list", "POST /token HTTP/1.1\r\nHost: a, b\r\n"],
    ["one with user info", "POST /token HTTP/1.1\r\nHost: u:p@a\r\n"],
    ["one with a path", "POST /token HTTP/1.1\r\nHost: a/token\r\n"],
    ["one with a query", "POST /token HTTP/1.1\r\nHost: x?y#z\r\n"],
    ["one with white space", "POST /token HTTP/1.1\r\nHost: a b\r\n"],
    ["one with a port that is no number", "POST /token HTTP/1.1\r\nHost: a:b\r\n"],
    ["an open bracket", "POST /token HTTP/1.1\r\nHost: [::1\r\n"],
    ["an escape", "POST /token HTTP/1.1\r\nHost: a%2f\r\n"],
    ["a byte over 0x7f", "POST /token HTTP/1.1\r\nHost: \xe9\r\n"],
  ])("a Host that is not one host[:port] (%s) is 400", async (_what, start) => {
    const { status, replies } = await raw(`${start}${bearer()}\r\nContent-Length: 0\r\n\r\n`, 50);
    expect({ status, replies }).toEqual({ status: 400, replies: 1 });
  });

  test.each(["a", "abc", "bridge:8080", "127.0.0.1:1", "[::1]:8080", "xn--bcher-kva.example", "BRIDGE.example."])(
    "the Host %s decides nothing",
    async (host) => {
      const request = (path: string) =>
        `POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${bearer()}\r\nContent-Length: 0\r\n\r\n`;
      expect((await raw(request("/token"), 50)).status).toBe(200);
      expect((await raw(request("/x/token"), 50)).status).toBe(404);
    },
  );

  test("the Host of an absolute target decides nothing either", async () => {
    const { status } = await raw(
      `POST http://evil.example/token HTTP/1.1\r\nHost: bridge\r\n${bearer()}\r\nContent-Length: 0\r\n\r\n`,
      50,
    );
    expect([200, 400]).toContain(status);
  });
});

describe(`attempts to smuggle a request (${underTest})`, () => {
  const SECOND = "POST /token HTTP/1.1\r\nHost: bridge\r\nX-Request-Id: smuggled\r\n\r\n";
  test.each([
    ["both lengths", ["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
    ["two lengths that differ", ["Content-Length: 0", `Content-Length: ${SECOND.length}`], ""],
    ["a list of lengths", ["Content-Length: 0, 5"], ""],
    ["a signed length", ["Content-Length: +0"], ""],
    ["a negative length", ["Content-Length: -1"], ""],
    ["a hexadecimal length", ["Content-Length: 0x0"], ""],
    ["an empty length", ["Content-Length: "], ""],
    ["white space before the colon", ["Content-Length : 0"], ""],
    ["an unknown coding", ["Transfer-Encoding: xchunked"], "0\r\n\r\n"],
    ["chunked, twice", ["Transfer-Encoding: chunked, chunked"], "0\r\n\r\n"],
    ["chunked with an identity behind it", ["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"],
    ["a folded header", ["Transfer-Encoding:", " chunked"], "0\r\n\r\n"],
    ["a vertical tab", ["Transfer-Encoding: \x0bchunked"], "0\r\n\r\n"],
    ["a NUL in a header", ["X: a\0b", "Content-Length: 0"], ""],
    ["a lone line feed", ["X: a\nContent-Length: 0"], ""],
    ["a lone carriage return", ["X: a\rContent-Length: 0"], ""],
    ["a chunk size with a sign", ["Transfer-Encoding: chunked"], "+0\r\n\r\n"],
    ["a chunk size that overflows", ["Transfer-Encoding: chunked"], "10000000000000000\r\n\r\n"],
  ])("%s: refused, and what follows is no request", async (_what, headers, body) => {
    const { status, replies } = await raw(head(...headers) + body + SECOND, 80);
    expect(status).toBe(400);
    expect(replies).toBe(1);
    // A line would have been written before a reply.
    expect(world.bridge.audit.some((line) => line["request"].id === "smuggled")).toBe(false);
  });

  test("a request inside a body stays a body", async () => {
    const { replies } = await raw(head("X-Request-Id: outer", `Content-Length: ${SECOND.length}`) + SECOND, 80);
    expect(replies).toBe(1);
    await world.bridge.waitFor((line) => line["request"]?.id === "outer");
    expect(world.bridge.audit.some((line) => line["request"].id === "smuggled")).toBe(false);
  });

  test("HTTP/1.0 with chunked, HTTP/2 and garbage are refused", async () => {
    expect(
      (await raw("POST /token HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 50)).status,
    ).toBe(400);
    expect([400, 505]).toContain((await raw("POST /token HTTP/3.0\r\nHost: a\r\n\r\n", 50)).status);
    expect([0, 400, 505]).toContain((await raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 50)).status);
    expect([0, 400]).toContain((await raw("\x16\x03\x01\x02\x00\x01\x00", 50)).status);
    await stillHealthy();
  });

  // Bun closes a connection on which a second request arrives while the first is worked on; it never answers out of order.
  test("requests in one segment are answered in their order, or not at all", async () => {
    const one = (id: string) =>
      `POST /token HTTP/1.1\r\nHost: bridge\r\nX-Request-Id: ${id}\r\n${bearer()}\r\nContent-Length: 0\r\n\r\n`;
    const { text } = await raw(one("first") + one("second"));
    const answered = [...text.matchAll(/x-request-id: (\w+)/gi)].map(([, id]) => id ?? "");
    expect([[], ["first"], ["first", "second"]]).toContainEqual(answered);
    await stillHealthy();
  });
});

describe(`slow and silent clients (${underTest})`, () => {
  test("a body that trickles in is cut at the request's deadline, however it is sent, and leaves an audit entry", async () => {
    const startedMs = performance.now();
    const trickle = async (start: string, piece: string) => {
      const closed = Promise.withResolvers<number>();
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port: world.bridge.port,
        socket: {
          data: () => undefined,
          close: () => closed.resolve(performance.now() - startedMs),
          error: () => undefined,
        },
      });
      socket.write(start);
      const timer = setInterval(() => {
        socket.write(piece);
        socket.flush();
      }, 500);
      const afterMs = await closed.promise;
      clearInterval(timer);
      return afterMs;
    };
    const cut = await Promise.all([
      trickle(head(bearer(), "X-Request-Id: trickle-1", "Content-Length: 1000"), "a"),
      trickle(head(bearer(), "X-Request-Id: trickle-2", "Transfer-Encoding: chunked"), "1\r\na\r\n"),
      trickle("POST /token HTTP/1.1\r\nHost: ", "a"),
    ]);
    for (const afterMs of cut) expect(afterMs).toBeLessThan(26_000);
    // By their ids: lines of requests that other tests broke off may still come.
    const gone = await Promise.all(
      ["trickle-1", "trickle-2"].map((id) => world.bridge.waitFor((line) => line["request"]?.id === id)),
    );
    expect(gone.map((line) => [line["request"].status, line["error"]])).toEqual([
      [499, "client closed request"],
      [499, "client closed request"],
    ]);
  }, 40_000);
});
