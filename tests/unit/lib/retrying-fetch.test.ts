import { describe, expect, test } from "bun:test";
import type { BoundedFetch, BoundedResponse, OutgoingRequest } from "../../../src/lib/bounded-fetch.ts";
import { retrySafely } from "../../../src/lib/retrying-fetch.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

type Answer = BoundedResponse | UpstreamFault;

const reply = (status: number, headers: Record<string, string> = {}): BoundedResponse => ({
  status,
  headers: new Headers(headers),
  body: new Uint8Array(),
});
const NO_ANSWER = new UpstreamFault("upstream-unavailable", "read", { upstream: "github" });
const NOT_CONNECTED = new UpstreamFault("upstream-unavailable", "read", { upstream: "github", notSent: true });
const TOO_BIG = new UpstreamFault("upstream-malformed", "read", { upstream: "github" });

async function ask(method: OutgoingRequest["method"], answers: readonly Answer[], more: Partial<OutgoingRequest> = {}) {
  const clock = createFixedClock();
  const asked: OutgoingRequest[] = [];
  const fetch: BoundedFetch = (request) => {
    asked.push(request);
    const answer = answers[asked.length - 1] ?? reply(200);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const retrying = retrySafely(fetch, { clock, random: () => 0 });
  const request = { upstream: "github", operation: "read", method, url: "https://a/", headers: {} } as const;
  const outcome = retrying({ ...request, timeoutMs: 10_000, maxBytes: 1, ...more }).then(
    ({ status }) => status,
    (error: unknown) => error,
  );
  await clock.advanceAndSettle(2000);
  return { outcome: await outcome, asked };
}

describe("retrySafely()", () => {
  test.each<readonly [string, OutgoingRequest["method"], Answer]>([
    ["a GET without an answer", "GET", NO_ANSWER],
    ["a GET with 500", "GET", reply(500)],
    ["a GET with 502", "GET", reply(502)],
    ["a GET with 503", "GET", reply(503)],
    ["a GET with 504", "GET", reply(504)],
    ["a POST that found no connection", "POST", NOT_CONNECTED],
    ["a DELETE that found no connection", "DELETE", NOT_CONNECTED],
  ])("%s is tried again", async (_what, method, first) => {
    const { outcome, asked } = await ask(method, [first, first]);
    expect(outcome).toBe(200);
    expect(asked).toHaveLength(3);
  });

  // A token that was made and never received lives for an hour at GitHub: one is enough.
  test.each<readonly [string, OutgoingRequest["method"], Answer]>([
    ["a POST that was sent and got no answer", "POST", NO_ANSWER],
    ["a POST with 502", "POST", reply(502)],
    ["a DELETE with 502", "DELETE", reply(502)],
    ["a GET with 503 that says when to come back", "GET", reply(503, { "retry-after": "1" })],
    ["a GET with 429", "GET", reply(429)],
    ["a GET with 404", "GET", reply(404)],
    ["a GET with 501", "GET", reply(501)],
    ["a GET with a reply that breaks the rules", "GET", TOO_BIG],
  ])("%s is not", async (_what, method, first) => {
    const { outcome, asked } = await ask(method, [first]);
    expect(asked).toHaveLength(1);
    expect(outcome).toBe(first instanceof Error ? first : first.status);
  });

  test("the third failure is told", async () => {
    const { outcome, asked } = await ask("GET", [NO_ANSWER, reply(500), reply(502), reply(200)]);
    expect({ outcome, tries: asked.length }).toEqual({ outcome: 502, tries: 3 });
  });

  test("all tries share the call's deadline", async () => {
    const { asked } = await ask("GET", [NO_ANSWER, NO_ANSWER]);
    expect(asked.map(({ timeoutMs }) => timeoutMs)).toEqual([10_000, 9900, 9500]);
    expect((await ask("GET", [NO_ANSWER], { timeoutMs: 90 })).asked).toHaveLength(1);
  });

  test("a call that was called off is not tried again", async () => {
    expect((await ask("GET", [NO_ANSWER], { signal: AbortSignal.abort() })).asked).toHaveLength(1);
  });

  describe("while a host answers nobody", () => {
    const GET = {
      upstream: "github",
      operation: "read",
      method: "GET",
      headers: {},
      timeoutMs: 10_000,
      maxBytes: 1,
    } as const;

    function createHosts() {
      const clock = createFixedClock();
      const down = new Set<string>();
      const tries = new Map<string, number>();
      const retrying = retrySafely(
        ({ url }) => {
          const { host } = new URL(url);
          tries.set(host, (tries.get(host) ?? 0) + 1);
          return down.has(host) ? Promise.reject(NO_ANSWER) : Promise.resolve(reply(200));
        },
        { clock, random: () => 0 },
      );
      const call = async (host: string, times: number): Promise<number> => {
        const before = tries.get(host) ?? 0;
        const calls = Array.from({ length: times }, () => retrying({ ...GET, url: `https://${host}/` }).catch(() => 0));
        await clock.advanceAndSettle(2000);
        await Promise.all(calls);
        return (tries.get(host) ?? 0) - before;
      };
      return { down, call };
    }

    test("twenty calls make two repeats in all, one after the other or at once", async () => {
      const { down, call } = createHosts();
      down.add("a");
      expect(await call("a", 10)).toBe(12);
      expect(await call("a", 10)).toBe(10);
    });

    test("another host's calls are repeated as ever", async () => {
      const { down, call } = createHosts();
      down.add("a").add("b");
      await call("a", 20);
      expect(await call("b", 1)).toBe(3);
    });

    test("ten answers later one repeat is to be had again, and never more than two", async () => {
      const { down, call } = createHosts();
      down.add("a");
      await call("a", 20);
      down.clear();
      await call("a", 10);
      down.add("a");
      expect(await call("a", 5)).toBe(6);
      down.clear();
      await call("a", 100);
      down.add("a");
      expect(await call("a", 5)).toBe(7);
    });
  });
});

test("repeats do not follow a failure that says when to come back", async () => {
  const later = new UpstreamFault("upstream-unavailable", "read", { upstream: "github", retryAfterSeconds: 3 });
  expect((await ask("GET", [later])).asked).toHaveLength(1);
});
