import { describe, expect, test } from "bun:test";
import { classifyGitHub } from "../../../src/github/reply-class.ts";

const classify = (status: number, headers: Record<string, string> = {}, message?: string) =>
  classifyGitHub({
    status,
    headers: new Headers(headers),
    body: new TextEncoder().encode(message === undefined ? "" : JSON.stringify({ message })),
  });

describe("classifyGitHub() tells outage from refusal", () => {
  test.each([200, 201, 204, 304])("%d is a success", (status) => {
    expect(classify(status)).toEqual({ kind: "success" });
  });

  test.each([401, 403, 404, 409, 410, 422, 451])("%d is a refusal", (status) => {
    expect(classify(status)).toMatchObject({ kind: "failure", code: "upstream-refused" });
  });

  test.each([429, 500, 502, 503, 504, 599])("%d is an outage", (status) => {
    expect(classify(status)).toMatchObject({ kind: "failure", code: "upstream-unavailable" });
  });

  test.each([301, 302, 307, 100])("%d is an answer GitHub's API does not give", (status) => {
    expect(classify(status)).toMatchObject({ kind: "failure", code: "upstream-malformed" });
  });

  test("a 403 that says how long to wait is a limit, not a refusal", () => {
    expect(classify(403, { "retry-after": "17" })).toMatchObject({
      code: "upstream-unavailable",
      retryAfterSeconds: 17,
    });
  });

  test("a 403 with nothing remaining is a limit until the reset, measured by GitHub's own clock", () => {
    const headers = {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "1000000090",
      date: new Date(1_000_000_000_000).toUTCString(),
    };
    expect(classify(403, headers)).toMatchObject({ code: "upstream-unavailable", retryAfterSeconds: 90 });
  });

  test("a 403 whose message speaks of a rate limit is a limit", () => {
    expect(classify(403, {}, "You have exceeded a secondary rate limit.")).toMatchObject({
      code: "upstream-unavailable",
    });
  });

  test("a message that quotes a credential loses it", () => {
    const result = classify(401, {}, `bad token ghs_${"a".repeat(40)} and eyJhbGciOiJSUzI1NiJ9.e30.c2ln`);
    expect(result).toMatchObject({ message: "bad token [removed] and [removed]" });
  });
});
