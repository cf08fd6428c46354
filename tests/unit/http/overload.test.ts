import { describe, expect, test } from "bun:test";
import { KnownTokens } from "../../../src/http/known-tokens.ts";
import type { AuditEntry } from "../../../src/audit/entry.ts";
import { createRequestHandler } from "../../../src/http/request-handler.ts";
import { LEAST_SLICES_WAITED } from "../../../src/http/work-queue.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { PLAIN_HTTP, SILENT_AUDIT, WRITTEN } from "../../support/plain-http.ts";

const VERIFYING_MS = 150;
const REQUESTS = 20;

/** A service whose every verification takes the processor for 150 ms. */
function startSlowService(isOverfull: () => boolean = () => false, maxInFlight = 1000) {
  const clock = createFixedClock();
  const entries: AuditEntry[] = [];
  let verified = 0;
  let unrecorded = 0;
  const unused = (): never => {
    throw new Error("not reached");
  };
  const handle = createRequestHandler({
    verifier: {
      verify: () => {
        verified += 1;
        clock.advance(VERIFYING_MS);
        return { kind: "invalid", cause: "the signature does not verify" };
      },
    },
    policy: unused,
    apps: { find: unused, account: unused },
    vend: unused,
    audit: {
      ...SILENT_AUDIT,
      request: (entry) => {
        entries.push(entry);
        return WRITTEN;
      },
      isOverfull,
      countUnrecorded: () => void (unrecorded += 1),
    },
    knownTokens: new KnownTokens(),
    clock,
    newRequestId: () => "id",
    onUnexpected: unused,
    settings: { ...PLAIN_HTTP, maxInFlight },
  });
  const ask = async (path: string, method = "POST") =>
    handle(
      new Request(`http://bridge${path}`, { method, headers: { authorization: "Bearer a.b.c", host: "bridge" } }),
      {
        peer: "127.0.0.1:1",
        closeAfter: () => undefined,
      },
    );
  return { ask, clock, entries, verified: () => verified, unrecorded: () => unrecorded };
}

describe("more requests than can be served in time", () => {
  test("are refused with 503 and Retry-After, unverified and on record, once they have waited a second; the others are served", async () => {
    const { ask, entries, verified } = startSlowService();
    const replies = await Promise.all(Array.from({ length: REQUESTS }, () => ask("/token")));
    const served = LEAST_SLICES_WAITED;
    expect(replies.map(({ status }) => status)).toEqual([
      ...Array(served).fill(401),
      ...Array(REQUESTS - served).fill(503),
    ]);
    expect(replies.at(-1)?.headers.get("retry-after")).toBe("5");
    expect(verified()).toBe(served);
    expect(entries.map(({ error }) => error).slice(served)).toEqual(
      Array(REQUESTS - served).fill("waited too long for the processor"),
    );
  });

  test("hold up no health check, and leave nothing behind: the next request is served", async () => {
    const { ask } = startSlowService();
    const replies = Array.from({ length: REQUESTS }, () => ask("/token"));
    expect((await ask("/healthcheck", "GET")).status).toBe(200);
    await Promise.all(replies);
    expect((await ask("/token")).status).toBe(401);
  });

  test("are kept by no timer once they are answered", async () => {
    const { ask, clock } = startSlowService(undefined, 1);
    const replies = await Promise.all([ask("/token"), ask("/token"), ask("/token")]);
    expect(replies.map(({ status }) => status)).toEqual([401, 503, 503]);
    // The sweep of deadlines, one for all.
    expect(clock.pending()).toBe(1);
  });

  test("cost no verification while standard output takes no line", async () => {
    const { ask, verified, unrecorded } = startSlowService(() => true);
    expect((await ask("/token")).status).toBe(503);
    expect(verified()).toBe(0);
    expect(unrecorded()).toBe(1);
  });
});
