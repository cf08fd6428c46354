import { describe, expect, test } from "bun:test";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { startBridge, type Bridge, type ProgramForm } from "../support/bridge.ts";
import { startMemoryServer, type MemoryServer } from "../support/valkey/memory-server.ts";

const CLIENTS = 8;
const PIPELINES = ["widget", "gadget", "plugins"] as const;
/** How long a load balancer goes on routing to an instance that has been told to go. */
const DEREGISTRATION_MS = 400;

interface Result {
  readonly id: string;
  readonly outcome: number | string;
}

/** Clients that ask without a pause, each time one of the targets in its turn. */
function startLoad(simulator: Simulator, targets: readonly Bridge[]) {
  const results: Result[] = [];
  const over = new AbortController();
  const client = async (number: number): Promise<void> => {
    for (let count = number; !over.signal.aborted; count++) {
      const target = targets[count % targets.length];
      const id = `${number}-${count}`;
      const jwt = simulator.oidc.issueToken({}, { jobId: simulator.jobOf(PIPELINES[count % 3] ?? "widget").id });
      const outcome = await fetch(`${target?.url}/token`, {
        method: "POST",
        headers: { authorization: `Bearer ${jwt}`, "x-request-id": id },
      }).then(
        async (response) => {
          await response.text();
          return response.status;
        },
        (error: unknown) => String(error),
      );
      results.push({ id, outcome });
      await Bun.sleep(1);
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
  return {
    results,
    end: async (): Promise<void> => {
      over.abort();
      await Promise.all(clients);
    },
  };
}

function start(simulator: Simulator, valkey: MemoryServer, form: ProgramForm): Promise<Bridge> {
  const environment = {
    ...simulator.environment(),
    CACHE_TYPE: "valkey",
    VALKEY_ADDRESS: `127.0.0.1:${valkey.port}`,
    VALKEY_TLS: "false",
    SERVER_DRAIN_DELAY_SECS: "1",
    CALLER_UPSTREAM_CALLS_PER_MINUTE: "1000",
  };
  return startBridge(environment, { form });
}

describe.each(["source", "binary"] as const)("two instances behind a load balancer (%s)", (form) => {
  test("are replaced one after the other, twice over, under load: no request fails, each has its line", async () => {
    await using simulator = await startSimulator();
    await using valkey = await startMemoryServer();
    const targets = await Promise.all([start(simulator, valkey, form), start(simulator, valkey, form)]);
    const all = [...targets];
    const load = startLoad(simulator, targets);
    for (let round = 0; round < 4; round++) {
      const next = await start(simulator, valkey, form);
      all.push(next);
      const old = targets[round % 2];
      if (old === undefined) throw new Error("there are two");
      const stopped = old.stop("SIGTERM");
      await Bun.sleep(DEREGISTRATION_MS);
      targets[round % 2] = next;
      expect(await stopped).toBe(0);
    }
    await load.end();
    for (const bridge of targets) expect(await bridge.stop()).toBe(0);
    const failed = load.results.filter(({ outcome }) => outcome !== 200);
    console.log(`rolling restarts (${form}): ${load.results.length} requests, ${failed.length} failed`);
    expect(failed).toEqual([]);
    expect(load.results.length).toBeGreaterThan(500);
    const lines = new Set(all.flatMap(({ audit }) => audit.map((line) => line["request"]?.id)));
    expect(load.results.filter(({ id }) => !lines.has(id))).toEqual([]);
    // Six instances, three pipelines: whoever starts finds the tokens of those before it.
    const minted = simulator.journal.entries({ method: "POST", path: /access_tokens$/ });
    const forPipelines = minted.filter(({ body }) => !JSON.stringify(body).includes("policy"));
    expect(forPipelines.length).toBeLessThanOrEqual(PIPELINES.length + 3);
  }, 60_000);
});
