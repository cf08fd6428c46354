import { describe, expect, test } from "bun:test";
import type { BoundedFetch, BoundedResponse, OutgoingRequest } from "../../../src/lib/bounded-fetch.ts";
import { limitPerHost } from "../../../src/lib/limited-fetch.ts";
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
    const calls = Array.from({ length: 8 }, (_none, index) =>
      limited(get(`https://a/${index}`, { caller: "greedy" })).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    await settle();
    expect(urls()).toHaveLength(5);
    expect(await Promise.all(calls.slice(5))).toMatchObject(
      Array.from({ length: 3 }, () => ({ code: "over-budget", retryAfterSeconds: 1 })),
    );
    void limited(get("https://a/victim", { caller: "victim" }));
    void limited(get("https://b/other-host", { caller: "greedy" }));
    await settle();
    expect(urls().slice(5)).toEqual(["https://a/victim", "https://b/other-host"]);
    running[0]?.end.resolve(OK);
    running[1]?.end.reject(new Error("network"));
    await settle();
    for (const path of ["x", "y"]) void limited(get(`https://a/${path}`, { caller: "greedy" }));
    await settle();
    expect(urls().slice(7)).toEqual(["https://a/x", "https://a/y"]);
  });

  test("what a caller waits for counts as well, until it gives up", async () => {
    const { fetch } = heldFetch();
    const clock = createFixedClock();
    const limited = limitPerHost(fetch, 4, clock);
    for (let index = 0; index < 4; index++) void limited(get("https://a/1"));
    const code = async (call: Promise<unknown>) => (await call.catch((error: unknown) => error)) as { code: string };
    const waiting = code(limited(get("https://a/2", { caller: "one", timeoutMs: 1000 })));
    expect((await code(limited(get("https://a/3", { caller: "one" })))).code).toBe("over-budget");
    clock.advance(1000);
    expect((await waiting).code).toBe("upstream-unavailable");
    const again = code(limited(get("https://a/4", { caller: "one", timeoutMs: 1000 })));
    clock.advance(1000);
    expect((await again).code).toBe("upstream-unavailable");
  });

  test.each([1, 2, 3, 4, 7])("with %d connections one caller still has one", async (perHost) => {
    const { fetch, urls } = heldFetch();
    const limited = limitPerHost(fetch, perHost, createFixedClock());
    void limited(get("https://a/1", { caller: "one" }));
    expect(await limited(get("https://a/2", { caller: "one" })).catch((error: unknown) => error)).toMatchObject({
      code: "over-budget",
    });
    expect(urls()).toEqual(["https://a/1"]);
  });

  test("without a limit nothing waits", async () => {
    const { fetch, urls } = heldFetch();
    const limited = limitPerHost(fetch, Number.POSITIVE_INFINITY, createFixedClock());
    for (let index = 0; index < 50; index++) void limited(get("https://a/1"));
    await settle();
    expect(urls()).toHaveLength(50);
  });
});
