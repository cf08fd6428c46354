import { expect, test } from "bun:test";
import { createAuditLog } from "../../../src/audit/audit-log.ts";
import { OutputLines } from "../../../src/audit/output-lines.ts";
import { KnownTokens } from "../../../src/http/known-tokens.ts";
import { createRequestHandler } from "../../../src/http/request-handler.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { PLAIN_HTTP } from "../../support/plain-http.ts";

test("a fault while one request ends is that request's own: the others of the same write are answered, and lines go on", async () => {
  const clock = createFixedClock();
  const unused = (): never => {
    throw new Error("not reached");
  };
  let written = "";
  const sink = { send: (text: string) => void (written += text) };
  const faults: unknown[] = [];
  let ended = 0;
  const handle = createRequestHandler({
    verifier: { verify: () => ({ kind: "invalid", cause: "the signature does not verify" }) },
    policy: unused,
    apps: { find: unused, account: unused },
    vend: unused,
    audit: createAuditLog(new OutputLines({ sink, instance: "i", clock, onFailure: unused }), clock),
    knownTokens: new KnownTokens(),
    clock,
    newRequestId: () => "id",
    onUnexpected: (error) => faults.push(error),
    observer: {
      begin: () => ({
        traceId: "0af7651916cd43dd8448eb211c80319c",
        run: (work) => work(),
        end: () => {
          ended += 1;
          if (ended === 1) throw new Error("a faulty observer");
        },
      }),
    },
    settings: PLAIN_HTTP,
  });
  const ask = async () => {
    const headers = { authorization: "Bearer a.b.c", host: "bridge" };
    const request = new Request("http://bridge/token", { method: "POST", headers });
    return (await handle(request, { peer: "127.0.0.1:1", closeAfter: () => undefined })).status;
  };
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([401, 401, 401]);
  expect(await ask()).toBe(401);
  expect(written.split("\n").filter(Boolean)).toHaveLength(4);
  expect(faults).toHaveLength(1);
});
