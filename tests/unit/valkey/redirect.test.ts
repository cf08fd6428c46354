import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parseRedirect } from "../../../src/valkey/redirect.ts";

const asker = { host: "asked.example", port: 6379 };

describe("parseRedirect()", () => {
  test.each([
    ["MOVED 3999 127.0.0.1:6381", { kind: "moved", slot: 3999, address: { host: "127.0.0.1", port: 6381 } }],
    ["ASK 3999 node2.localhost:7302", { kind: "ask", slot: 3999, address: { host: "node2.localhost", port: 7302 } }],
    ["MOVED 0 ::1:6379", { kind: "moved", slot: 0, address: { host: "::1", port: 6379 } }],
    ["MOVED 16383 2001:db8::7:6379", { kind: "moved", slot: 16383, address: { host: "2001:db8::7", port: 6379 } }],
    [
      "MOVED 5 c-0002-001.c.abc123.use1.cache.amazonaws.com:6379",
      { kind: "moved", slot: 5, address: { host: "c-0002-001.c.abc123.use1.cache.amazonaws.com", port: 6379 } },
    ],
  ] as const)("reads %s", (text, expected) => {
    expect(parseRedirect(text, asker)).toEqual(expected);
  });

  test.each(["MOVED 3999 :6380", "MOVED 3999 ?:6380"])(
    "takes the host that answered for an unknown one: %s",
    (text) => {
      expect(parseRedirect(text, asker)).toEqual({ kind: "moved", slot: 3999, address: { ...asker, port: 6380 } });
    },
  );

  test.each([
    "",
    "MOVED",
    "MOVED 3999",
    "MOVED 16384 a:1",
    "MOVED -1 a:1",
    "MOVED 1e3 a:1",
    "MOVED 3999 a",
    "MOVED 3999 a:0",
    "MOVED 3999 a:65536",
    "MOVED 3999 a:port",
    "MOVED 3999 user@a:1",
    "MOVED 3999 a/b:1",
    "MOVED 3999 a:1 more",
    "MOVED 3999 a:1\r\n",
    " MOVED 3999 a:1",
    "moved 3999 a:1",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "ERR MOVED 3999 a:1",
  ])("is not fooled by %p", (text) => {
    expect(parseRedirect(text, asker)).toBeUndefined();
  });

  test("any text gives a legal address or nothing, and what a node writes comes back", () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    const slot = fc.integer({ min: 0, max: 16383 });
    const port = fc.integer({ min: 1, max: 65535 });
    fc.assert(
      fc.property(host, slot, port, fc.boolean(), (name, number, at, ask) => {
        const redirect = parseRedirect(`${ask ? "ASK" : "MOVED"} ${number} ${name}:${at}`, asker);
        expect(redirect).toEqual({ kind: ask ? "ask" : "moved", slot: number, address: { host: name, port: at } });
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(MOVED|ASK) [0-9]{1,6} .{0,20}:[0-9]{1,6}$/)), (text) => {
        const redirect = parseRedirect(text, asker);
        if (redirect === undefined) return;
        expect(redirect.slot).toBeLessThan(16384);
        expect(redirect.address.host).toMatch(/^[A-Za-z0-9._:-]+$/);
        expect(new URL(`rediss://h:${redirect.address.port}`).port).toBe(String(redirect.address.port));
      }),
    );
  });
});
