import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { bridgeCommand, startBridge, type ProgramForm } from "../support/bridge.ts";
import { startMemoryServer } from "../support/valkey/memory-server.ts";

const FORMS = ["source", "binary"] as const satisfies readonly ProgramForm[];
/** A process that is told to go must not be waited for. */
const AT_ONCE_MS = 3000;

const hang = () => new Promise<Response>(() => undefined);

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(async () => {
  await simulator[Symbol.asyncDispose]();
});

/** The program, not waited for until it listens. */
function spawn(form: ProgramForm, environment: Readonly<Record<string, string>>) {
  return Bun.spawn([...bridgeCommand(form), "serve"], {
    env: { PATH: process.env["PATH"] ?? "", SERVER_PORT: "0", SERVER_HOST: "127.0.0.1", ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** An AWS that is asked, and says nothing. */
function openSilentAws() {
  let asked = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () => {
      asked += 1;
      return hang();
    },
  });
  return {
    asked: () => asked,
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${server.port}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

const KEYSET = {
  CACHE_TYPE: "valkey",
  VALKEY_ADDRESS: "127.0.0.1:1",
  VALKEY_TLS: "false",
  CACHE_ENCRYPTION_ENABLED: "true",
  CACHE_ENCRYPTION_KEYSET_URI: "aws-secretsmanager://tink-keyset",
  CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: "aws-kms://arn:aws:kms:us-east-1:123456789012:alias/keyset",
};

describe.each(FORMS)("SIGTERM during the start (%s)", (form) => {
  test.each([
    ["its policy is read", 1, {}],
    ["its policy is read, twice", 2, {}],
    ["its Apps are checked", 1, { registry: true }],
  ] as const)(
    "while GitHub hangs as %s: exit 1 at once, with one line",
    async (_when, times, options) => {
      const asked = Promise.withResolvers<void>();
      simulator.interceptor = (_request, upstream) => {
        if (upstream === "github") asked.resolve();
        return hang();
      };
      const child = spawn(form, simulator.environment(options));
      await asked.promise;
      const startedMs = performance.now();
      for (let count = 0; count < times; count++) child.kill("SIGTERM");
      expect(await child.exited).toBe(1);
      expect(performance.now() - startedMs).toBeLessThan(AT_ONCE_MS);
      expect(await child.stderr.text()).toMatch(/^told to stop before the service had a policy.*\n$/);
      expect(await child.stdout.text()).not.toContain("listening");
    },
    30_000,
  );

  test("while the keyset cannot be had: exit 1 at once, with one line", async () => {
    await using aws = openSilentAws();
    const child = spawn(form, { ...simulator.environment(), ...KEYSET, ...aws.environment });
    while (aws.asked() === 0) await Bun.sleep(5);
    const startedMs = performance.now();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(AT_ONCE_MS);
    expect(await child.stderr.text()).toMatch(/^told to stop before the service had a policy.*\n$/);
  });
});

// Concurrent: some wait for a real deadline. Each has surroundings of its own.
describe.each(FORMS)("SIGTERM while an upstream is stalled (%s)", (form) => {
  async function startStalled(stalled: string, variables: Readonly<Record<string, string>> = {}) {
    await using started = new AsyncDisposableStack();
    const own = started.use(await startSimulator());
    const { GITHUB_ORG_PROFILE: _none, ...environment } = own.environment();
    const reached = Promise.withResolvers<void>();
    own.interceptor = (_request, upstream) => {
      if (upstream !== stalled) return undefined;
      reached.resolve();
      return hang();
    };
    const bridge = started.use(await startBridge({ ...environment, ...variables }, { form }));
    const headers = { authorization: `Bearer ${own.oidc.issueToken()}` };
    const stack = started.move();
    return {
      bridge,
      reached: reached.promise,
      ask: () => fetch(`${bridge.url}/token`, { method: "POST", headers }),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  test.concurrent.each(["oidc", "buildkite", "github"])(
    "%s: twice ends it at once, exit 1",
    async (name) => {
      await using world = await startStalled(name);
      const left = world.ask().catch(() => undefined);
      await world.reached;
      world.bridge.process.kill("SIGTERM");
      await world.bridge.waitFor((line) => line["message"] === "stopping");
      const startedMs = performance.now();
      expect(await world.bridge.stop("SIGTERM")).toBe(1);
      expect(performance.now() - startedMs).toBeLessThan(AT_ONCE_MS);
      expect(await left).toBeUndefined();
    },
    30_000,
  );

  test.concurrent(
    "once: the request has its 503 when the upstream's time is up, its line, and then the service ends, exit 0",
    async () => {
      await using world = await startStalled("buildkite");
      const reply = world.ask();
      await world.reached;
      const stopped = world.bridge.stop("SIGTERM");
      expect((await reply).status).toBe(503);
      expect(await stopped).toBe(0);
      expect(world.bridge.audit.map((line) => line["request"].status)).toEqual([503]);
    },
    30_000,
  );

  test.concurrent(
    "Valkey: the request is served without it, exit 0",
    async () => {
      await using server = await startMemoryServer();
      const valkey = { CACHE_TYPE: "valkey", VALKEY_ADDRESS: `127.0.0.1:${server.port}`, VALKEY_TLS: "false" };
      await using world = await startStalled("nobody", valkey);
      await world.bridge.waitFor((line) => line["message"] === "valkey: in use");
      server.pause();
      const reply = world.ask();
      await Bun.sleep(20);
      const startedMs = performance.now();
      const stopped = world.bridge.stop("SIGTERM");
      expect((await reply).status).toBe(200);
      expect(await stopped).toBe(0);
      expect(performance.now() - startedMs).toBeLessThan(AT_ONCE_MS);
    },
    30_000,
  );
});
