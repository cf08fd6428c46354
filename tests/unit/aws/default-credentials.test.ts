import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createCredentialSource, type CredentialState } from "../../../src/aws/credentials.ts";
import { loadDefaultCredentials } from "../../../src/aws/default-credentials.ts";
import { startEcsCredentials, type EcsCredentials } from "../../../src/simulator/ecs-credentials.ts";
import { useAwsEnvironment } from "../../support/aws-environment.ts";
import { createFixedClock, type FixedClock } from "../../support/fixed-clock.ts";

describe("AWS credentials of an ECS task, through the SDK's default chain", () => {
  let clock: FixedClock;
  let endpoint: EcsCredentials;
  let environment: Disposable;
  beforeEach(() => {
    clock = createFixedClock();
    endpoint = startEcsCredentials({ clock, lifetimeSeconds: 3600 });
    environment = useAwsEnvironment(endpoint.environment);
  });
  afterEach(async () => {
    environment[Symbol.dispose]();
    await endpoint[Symbol.asyncDispose]();
  });

  test("are fetched with the container's token", async () => {
    const credentials = await loadDefaultCredentials();
    expect(credentials.accessKeyId).toMatch(/^ASIA[0-9A-F]{16}$/);
    expect(credentials.sessionToken).toBeString();
    expect(credentials.expiration?.getTime()).toBe(clock.nowMs() + 3_600_000);
    expect(endpoint.journal.entries()).toMatchObject([{ authorization: "container-token", status: 200 }]);
  });

  test("rotate, and every load sees the newest", async () => {
    const before = await loadDefaultCredentials();
    endpoint.rotate();
    expect((await loadDefaultCredentials()).accessKeyId).not.toBe(before.accessKeyId);
  });

  test.each(["fail", "garbage"] as const)(
    "an endpoint that answers with %s is one warning; the task works on",
    async (behaviour) => {
      const states: CredentialState[] = [];
      using source = createCredentialSource({
        load: loadDefaultCredentials,
        clock,
        random: () => 0.5,
        observe: (state) => states.push(state),
      });
      const held = await source.current();
      endpoint.behaviour = behaviour;
      clock.advance(50 * 60_000);
      while (states.length === 0) await clock.advanceAndSettle(100);
      expect(await source.current()).toBe(held);
      expect(states).toMatchObject([{ kind: "stale", validUntilEpochMs: held.expiration?.getTime() }]);
      expect(JSON.stringify(states)).not.toContain(held.secretAccessKey);
    },
  );

  test("a load that hangs does not hang the next one", async () => {
    endpoint.behaviour = "hang";
    const hanging = loadDefaultCredentials().catch(() => undefined);
    while (endpoint.journal.entries().length === 0) await new Promise((resolve) => setImmediate(resolve));
    endpoint.behaviour = "serve";
    expect((await loadDefaultCredentials()).accessKeyId).toStartWith("ASIA");
    void hanging;
  });

  test("without any source the reason is told", async () => {
    environment[Symbol.dispose]();
    environment = useAwsEnvironment({});
    using source = createCredentialSource({
      load: loadDefaultCredentials,
      clock,
      random: () => 0,
      observe: () => undefined,
    });
    const failing = source.current().catch((error: unknown) => error);
    while (Bun.peek.status(failing) === "pending") await clock.advanceAndSettle(100);
    expect(String(await failing)).toBe(
      "UpstreamFault: aws-credentials: load AWS credentials: Could not load credentials from any providers",
    );
  });
});
