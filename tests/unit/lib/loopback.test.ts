import { describe, expect, test } from "bun:test";
import { isLinkLocalHost, isLoopbackHost } from "../../../src/lib/loopback.ts";

test.each(["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.255.0.9", "::1", "[::1]"])(
  "isLoopbackHost() takes %s",
  (host) => expect(isLoopbackHost(host)).toBe(true),
);

test.each([
  "127.example.com",
  "127.0.0.1.example.com",
  "localhost.example.com",
  "notlocalhost",
  "10.0.0.1",
  "[::2]",
  "::",
  "0.0.0.0",
  "",
])("isLoopbackHost() refuses %j", (host) => expect(isLoopbackHost(host)).toBe(false));

test.each(["http://2130706433/", "http://0x7f.1/", "http://127.1/"])(
  "isLoopbackHost() takes every spelling that a URL turns into a loopback address: %s",
  (url) => expect(isLoopbackHost(new URL(url).hostname)).toBe(true),
);

describe("isLinkLocalHost()", () => {
  test.each(["169.254.170.2", "169.254.0.1", "[fe80::1]", "fe80::1", "[FEBF::1]"])("%s is link-local", (host) => {
    expect(isLinkLocalHost(host)).toBe(true);
  });

  // A name that merely begins so belongs to somebody, and its traffic belongs to the proxy.
  test.each([
    "169.254.example.com",
    "169.254.1",
    "fe80.example.com",
    "[fec0::1]",
    "fe80",
    "10.0.0.1",
    "[2001:db8::fe80:1]",
  ])("%s is not", (host) => {
    expect(isLinkLocalHost(host)).toBe(false);
  });
});
