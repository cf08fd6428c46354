import { expect, test } from "bun:test";
import { boundedFetch } from "../../../src/lib/bounded-fetch.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";

test.each([0, -3, 0.4, Number.NaN])("a call that has %d ms left is not sent", async (timeoutMs) => {
  let received = 0;
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      received += 1;
      return new Response("made");
    },
  });
  const call = (ms: number) =>
    boundedFetch({
      upstream: "github",
      operation: "create installation token",
      method: "POST",
      url: server.url.href,
      headers: {},
      timeoutMs: ms,
      maxBytes: 100,
    });
  const failed = await Promise.all(Array.from({ length: 20 }, () => call(timeoutMs).catch((error: unknown) => error)));
  for (const error of failed) {
    if (!(error instanceof UpstreamFault)) throw error;
    expect({ code: error.code, message: error.message }).toEqual({
      code: "upstream-unavailable",
      message: "github: create installation token: no complete reply in time",
    });
  }
  // Whatever had left before this one would have arrived with it.
  expect((await call(5000)).status).toBe(200);
  expect(received).toBe(1);
});
