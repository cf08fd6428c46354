import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { BoundedFetch, BoundedResponse, OutgoingRequest } from "../../../src/lib/bounded-fetch.ts";
import { limitPerHost } from "../../../src/lib/limited-fetch.ts";
import { rejection } from "../../support/rejection.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const OK: BoundedResponse = { status: 200, headers: new Headers(), body: new Uint8Array() };

/** A fetch whose every exchange ends when the test says so. */
function heldFetch() {
  const running: { readonly request: OutgoingRequest; readonly end: PromiseWithResolvers<BoundedResponse> }[] = [];
  const fetch: BoundedFetch = (request) => {
    const end = Promise.withResolvers<BoundedResponse>();
    running.push({ request, end });
    return end.promise;
  };
  return { running, fetch, urls: () => running.map(({ request }) => request.url) };
}

const get = (url: string, more: Partial<OutgoingRequest> = {}): OutgoingRequest => ({
  upstream: "github",
  operation: "read",
  method: "GET",
  url,
  headers: {},
  timeoutMs: 10_000,
  maxBytes: 100,
  ...more,
});
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("limitPerHost()", () => {
  test("lets so many through at once to a host, the others in order of arrival", async () => {
    const { running, fetch, urls } = heldFetch();
    const limited = limitPerHost(fetch, 2, createFixedClock());
    for (const path of ["1", "2", "3", "4"]) limited(get(`https://a/${path}`)).catch(() => undefined);
    await settle();
    expect(urls()).toEqual(["https://a/1", "https://a/2"]);
    running[1]?.end.resolve(OK);
    await settle();
    expect(urls()).toEqual(["https://a/1", "https://a/2", "https://a/3"]);
    running[0]?.end.reject(new Error("network"));
    await settle();
    expect(urls()).toHaveLength(4);
  });

  test("a slow host holds back no other, another port included", async () => {
    const { fetch, urls } = heldFetch();
    const limited = limitPerHost(fetch, 1, createFixedClock());
    for (const url of ["https://a/1", "https://a/2", "https://b/1", "https://a:444/1"]) void limited(get(url));
    await settle();
    expect(urls()).toEqual(["https://a/1", "https://b/1", "https://a:444/1"]);
  });

  test("waiting counts against the call's own deadline, and what is left goes to the exchange", async () => {
    const { running, fetch } = heldFetch();
    const clock = createFixedClock();
    const limited = limitPerHost(fetch, 1, clock);
    void limited(get("https://a/1"));
    void limited(get("https://a/2"));
    const overdue = limited(get("https://a/3", { timeoutMs: 5000 })).catch((error: unknown) => error);
    await settle();
    clock.advance(4000);
    running[0]?.end.resolve(OK);
    await settle();
    expect(running[1]?.request.timeoutMs).toBe(6000);
    clock.advance(1000);
    expect(await overdue).toMatchObject({ code: "upstream-unavailable" });
    running[1]?.end.resolve(OK);
    await settle();
    expect(running).toHaveLength(2);
  });

  test("a call that is called off while it waits never begins, and takes nobody's turn", async () => {
    const { running, fetch, urls } = heldFetch();
    const limited = limitPerHost(fetch, 1, createFixedClock());
    const controller = new AbortController();
    void limited(get("https://a/1"));
    const off = limited(get("https://a/2", { signal: controller.signal })).catch((error: unknown) => error);
    void limited(get("https://a/3"));
    await settle();
    controller.abort();
    expect(await off).toMatchObject({ code: "upstream-unavailable" });
    running[0]?.end.resolve(OK);
    await settle();
    expect(urls()).toEqual(["https://a/1", "https://a/3"]);
  });

  test("one caller holds at most a quarter of a host's connections, and the others do not notice", async () => {
    const { running, fetch, urls } = heldFetch();
    const limited = limitPerHost(fetch, 20, createFixedClock());
    for (let index = 0; index < 8; index++) {
      limited(get(`https://a/${index}`, { caller: "greedy" })).catch(() => undefined);
    }
    await settle();
    expect(urls()).toHaveLength(5);
    void limited(get("https://a/victim", { caller: "victim" }));
    void limited(get("https://b/other-host", { caller: "greedy" }));
    await settle();
    expect(urls().slice(5)).toEqual(["https://a/victim", "https://b/other-host"]);
    running[0]?.end.resolve(OK);
    running[1]?.end.reject(new Error("network"));
    await settle();
    expect(urls().slice(7)).toEqual(["https://a/5", "https://a/6"]);
  });

  test("beyond, a caller waits two seconds for its own calls, and is then refused", async () => {
    const { running, fetch, urls } = heldFetch();
    const clock = createFixedClock();
    const limited = limitPerHost(fetch, 4, clock);
    void limited(get("https://a/1", { caller: "one" }));
    const waiting = rejection(limited(get("https://a/2", { caller: "one" })));
    await settle();
    clock.advance(2_000);
    expect(await waiting).toMatchObject({ code: "over-budget", retryAfterSeconds: 1 });
    const luckier = limited(get("https://a/3", { caller: "one" }));
    await settle();
    clock.advance(1_999);
    running[0]?.end.resolve(OK);
    await settle();
    running[1]?.end.resolve(OK);
    expect(await luckier).toBe(OK);
    expect(urls()).toEqual(["https://a/1", "https://a/3"]);
    // Of the call's own time, what is left.
    expect(running[1]?.request.timeoutMs).toBe(8_001);
  });

  test("so many of a caller's calls wait, and the others are refused at once", async () => {
    const { fetch } = heldFetch();
    const limited = limitPerHost(fetch, 8, createFixedClock());
    const calls = Array.from({ length: 12 }, () => rejection(limited(get("https://a/1", { caller: "one" }))));
    const refused = await Promise.all(calls.slice(8));
    expect(refused.map((error) => error.code)).toEqual(Array.from({ length: 4 }, () => "over-budget"));
  });

  test.each([1, 2, 3, 4, 7])("with %d connections one caller still has one", async (perHost) => {
    const { fetch, urls } = heldFetch();
    const limited = limitPerHost(fetch, perHost, createFixedClock());
    for (const path of ["1", "2"]) void limited(get(`https://a/${path}`, { caller: "one" }));
    await settle();
    expect(urls()).toEqual(["https://a/1"]);
  });

  test("whatever comes and goes, no place is lost and no caller has more than its share", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(3_000), fc.boolean()), { maxLength: 60 }),
        async (calls) => {
          const clock = createFixedClock();
          const counts = new Map<string | undefined, number>();
          let tookMs = 0;
          const limited = limitPerHost(
            async ({ caller }) => {
              counts.set(caller, (counts.get(caller) ?? 0) + 1);
              expect(counts.get(caller)).toBeLessThanOrEqual(2);
              await new Promise<void>((resolve) => void clock.after(tookMs, resolve));
              counts.set(caller, (counts.get(caller) ?? 0) - 1);
              return OK;
            },
            8,
            clock,
          );
          for (const [caller, ms, isLong] of calls) {
            tookMs = isLong ? 5_000 : 50;
            limited(get("https://a/1", { caller })).catch(() => undefined);
            await clock.advanceAndSettle(ms / 10);
          }
          await clock.advanceAndSettle(60_000);
          expect([...counts.values()].every((count) => count === 0)).toBe(true);
          tookMs = 50;
          const again = Promise.all(["a", "b", "c", "a"].map((caller) => limited(get("https://a/1", { caller }))));
          await clock.advanceAndSettle(100);
          expect(await again).toHaveLength(4);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("without a limit nothing waits", async () => {
    const { fetch, urls } = heldFetch();
    const limited = limitPerHost(fetch, Number.POSITIVE_INFINITY, createFixedClock());
    for (let index = 0; index < 50; index++) void limited(get("https://a/1"));
    await settle();
    expect(urls()).toHaveLength(50);
  });
});
