import { expect, test } from "bun:test";
import { join } from "node:path";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { startBridge } from "../support/bridge.ts";
import { startMemoryServer } from "../support/valkey/memory-server.ts";

const SCALE = 30;
const MINUTE_MS = 60_000 / SCALE;
const SCALED = [process.execPath, join(import.meta.dir, "support/scaled-main.ts")];

/** A machine that stands still: a snapshot, a container without a processor. */
test("a process that was stopped for a minute answers everything it had accepted, and goes on as before", async () => {
  await using simulator = await startSimulator();
  await using valkey = await startMemoryServer();
  await using bridge = await startBridge(
    {
      ...simulator.environment(),
      CACHE_TYPE: "valkey",
      VALKEY_ADDRESS: `127.0.0.1:${valkey.port}`,
      VALKEY_TLS: "false",
      SCALE: String(SCALE),
    },
    { command: SCALED },
  );
  let asked = 0;
  const ask = async (pipeline: string): Promise<number> => {
    const id = `call-${++asked}`;
    const jwt = simulator.oidc.issueToken({}, { jobId: simulator.jobOf(pipeline).id });
    const response = await fetch(`${bridge.url}/token`, {
      method: "POST",
      headers: { authorization: `Bearer ${jwt}`, "x-request-id": id },
    });
    await response.text();
    // Its line has left before the reply, and may not have been read here.
    await bridge.waitFor((line) => line["request"]?.id === id);
    return response.status;
  };
  expect(await ask("widget")).toBe(200);
  const calls = (): number => simulator.journal.entries({ upstream: "github" }).length;

  // One request is held up at Buildkite, others come while nobody answers.
  const held = Promise.withResolvers<undefined>();
  const reached = Promise.withResolvers<void>();
  simulator.interceptor = (_request, upstream) => {
    if (upstream !== "buildkite") return undefined;
    reached.resolve();
    return held.promise;
  };
  const slow = ask("gadget");
  await reached.promise;
  const before = calls();
  bridge.process.kill("SIGSTOP");
  const waiting = Promise.all(Array.from({ length: 20 }, () => ask("widget")));
  await Bun.sleep(MINUTE_MS);
  simulator.interceptor = undefined;
  bridge.process.kill("SIGCONT");
  held.resolve(undefined);

  expect(await waiting).toEqual(Array.from({ length: 20 }, () => 200));
  // Its deadline passed while nobody looked: a refusal with a line, or the token.
  expect([200, 503]).toContain(await slow);
  expect([await ask("widget"), await ask("gadget"), await ask("plugins")]).toEqual([200, 200, 200]);
  const requests = bridge.audit.filter((line) => line["message"] === "audit_event");
  expect(requests).toHaveLength(asked);
  expect(requests.map((line) => line["sequence"]).toSorted((left, right) => left - right)).toEqual(
    requests.map((line) => line["sequence"]),
  );
  // What was due while it stood still is done once, not once for every time it was missed.
  expect(calls() - before).toBeLessThan(12);
}, 30_000);
