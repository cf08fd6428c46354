import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { IMAGE_SETTINGS } from "../support/image-settings.ts";
import { bridgeCommand, underTest } from "../support/bridge.ts";
import { startOtlpReceiver, type OtlpReceiver, type ReceiverBehaviour } from "../support/otlp-receiver.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

const QUICK = {
  OBSERVE_ENABLED: "true",
  OBSERVE_TRACE_BATCH_TIMEOUT_SECS: "1",
  OBSERVE_METRIC_READ_INTERVAL_SECS: "1",
  OTEL_EXPORTER_OTLP_TIMEOUT: "500",
};

function pointAt(receiver: OtlpReceiver, exporter: "grpc" | "http"): Record<string, string> {
  const endpoint = exporter === "grpc" ? receiver.grpcUrl : receiver.httpUrl;
  return { ...QUICK, OBSERVE_TYPE: exporter, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
}

const LOST = "the last telemetry was not sent";

const toldFailures = ({ bridge }: TestWorld): string[] =>
  bridge.lines.filter(({ message }) => message === "telemetry cannot be sent").map(({ signal }) => signal);

async function askFor(world: TestWorld, forMs: number): Promise<number[]> {
  const jwt = world.jwt();
  const tookMs: number[] = [];
  for (const untilMs = performance.now() + forMs; performance.now() < untilMs;) {
    const startedMs = performance.now();
    const response = await fetch(`${world.bridge.url}/token`, {
      method: "POST",
      headers: { authorization: `Bearer ${jwt}` },
    });
    expect(response.status).toBe(200);
    await response.text();
    tookMs.push(performance.now() - startedMs);
    await Bun.sleep(10);
  }
  return tookMs.toSorted((a, b) => a - b);
}

describe.each(["grpc", "http"] as const)(`a collector in trouble, over %s (${underTest})`, (exporter) => {
  test.each(["refuse", "hang"] as const)(
    "that would %s: requests are as quick as ever, one log line a signal when it begins and when it ends",
    async (behaviour: ReceiverBehaviour) => {
      await using receiver = await startOtlpReceiver();
      receiver.behaviour = behaviour;
      await using world = await startWorld(pointAt(receiver, exporter));
      const tookMs = await askFor(world, 3500);
      expect(tookMs[Math.floor(tookMs.length / 2)]).toBeLessThan(50);
      expect(tookMs.at(-1)).toBeLessThan(1000);
      expect(receiver.asked).toBeGreaterThan(3);
      expect(toldFailures(world).toSorted()).toEqual(["metrics", "traces"]);
      receiver.behaviour = "accept";
      const again = (signal: string) =>
        world.bridge.waitFor((line) => line["message"] === "telemetry is sent again" && line["signal"] === signal);
      await Promise.all([again("metrics"), askFor(world, 1500).then(() => again("traces"))]);
      expect(await world.bridge.stop()).toBe(0);
      expect(toldFailures(world)).toHaveLength(2);
      expect(world.bridge.lines.map(({ message }) => message)).not.toContain(LOST);
      expect(world.bridge.lines.filter(({ message }) => message === "opentelemetry")).toEqual([]);
      expect(receiver.spans.length).toBeGreaterThan(0);
    },
    30_000,
  );

  test("that is not there: the service starts, serves and stops, three seconds late at most, and says what was lost", async () => {
    const receiver = await startOtlpReceiver();
    const variables = pointAt(receiver, exporter);
    await receiver[Symbol.asyncDispose]();
    await using world = await startWorld({ ...variables, OTEL_EXPORTER_OTLP_TIMEOUT: "60000" });
    expect((await askFor(world, 2500)).at(-1)).toBeLessThan(1000);
    const startedMs = performance.now();
    expect(await world.bridge.stop()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(toldFailures(world).length).toBeLessThanOrEqual(2);
    expect(world.bridge.lines.map(({ message }) => message)).toContain(LOST);
  }, 30_000);

  test("that hangs, under a flood of traced requests: memory stays bounded", async () => {
    await using receiver = await startOtlpReceiver();
    receiver.behaviour = "hang";
    await using world = await startWorld({ ...pointAt(receiver, exporter), ...IMAGE_SETTINGS });
    const { pid } = world.bridge.process;
    const residentMiB = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
    const jwt = world.jwt();
    const flood = (count: number) =>
      Promise.all(
        Array.from({ length: 16 }, async () => {
          for (let index = 0; index < count / 16; index += 1) {
            const headers = { authorization: `Bearer ${jwt}`, "user-agent": "a".repeat(500) };
            await (await fetch(`${world.bridge.url}/token`, { method: "POST", headers })).text();
          }
        }),
      );
    await flood(8000);
    const warmMiB = residentMiB();
    // Kept, these spans would be 120 MiB and more. Without the image's settings, garbage alone may be as much.
    await flood(30_000);
    expect(residentMiB() - warmMiB).toBeLessThan(80);
  }, 60_000);
});

describe(`the last spans and metrics (${underTest})`, () => {
  test("are sent when the start fails", async () => {
    await using receiver = await startOtlpReceiver();
    await using simulator = await startSimulator();
    simulator.interceptor = (_request, upstream) =>
      upstream === "github" ? new Response("no", { status: 404 }) : undefined;
    const child = Bun.spawn([...bridgeCommand(), "serve"], {
      env: { ...simulator.environment(), ...pointAt(receiver, "http"), OBSERVE_TRACE_BATCH_TIMEOUT_SECS: "600" },
      stdout: "pipe",
      stderr: "pipe",
    });
    // A call that has begun is not a try that has failed.
    const output = child.stdout.getReader();
    for (let said = ""; !said.includes('"profile refresh failed"');) {
      const { value, done } = await output.read();
      if (done) throw new Error(`the service has ended: ${said}`);
      said += new TextDecoder().decode(value);
    }
    child.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(receiver.spans.find(({ name }) => name === "refresh_organization_profile")).toMatchObject({
      status: { code: "STATUS_CODE_ERROR", message: "profile refresh failed" },
      events: [{ name: "exception" }],
    });
  });

  test("are sent when standard output closes", async () => {
    await using receiver = await startOtlpReceiver();
    await using simulator = await startSimulator();
    const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
    const child = Bun.spawn([...bridgeCommand(), "serve"], {
      env: {
        ...environment,
        ...pointAt(receiver, "http"),
        SERVER_PORT: "0",
        SERVER_HOST: "127.0.0.1",
        OBSERVE_METRIC_READ_INTERVAL_SECS: "600",
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    const output = child.stdout.getReader();
    let port: string | undefined;
    for (let said = ""; port === undefined; port = /"listening","port":(\d+)/.exec(said)?.[1]) {
      const { value, done } = await output.read();
      if (done) throw new Error(`the service has ended: ${said}`);
      said += new TextDecoder().decode(value);
    }
    await fetch(`http://127.0.0.1:${port}/token`, { method: "POST" });
    await output.cancel();
    // It learns of that when it next writes, which may be before this end of the pipe is closed.
    while (child.exitCode === null) {
      await fetch(`http://127.0.0.1:${port}/token`, { method: "POST" }).catch(() => undefined);
      await Promise.race([child.exited, Bun.sleep(100)]);
    }
    expect(child.exitCode).toBe(1);
    expect([...receiver.points.values()].some(({ metric }) => metric === "token.vended")).toBe(true);
  });

  test("are not waited for when a second signal ends the stop", async () => {
    await using receiver = await startOtlpReceiver();
    await using world = await startWorld({ ...pointAt(receiver, "http"), SERVER_DRAIN_DELAY_SECS: "20" });
    receiver.behaviour = "hang";
    await world.ask("/token");
    world.bridge.process.kill("SIGTERM");
    await world.bridge.waitFor(({ message }) => message === "stopping");
    const startedMs = performance.now();
    expect(await world.bridge.stop("SIGTERM")).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(1500);
  });

  test("ECS's log driver that drops lines is warned of, and shows in the metric", async () => {
    await using receiver = await startOtlpReceiver();
    using ecs = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => Response.json({ LogDriver: "awslogs", LogOptions: { "awslogs-group": "bridge" } }),
    });
    await using world = await startWorld({
      ...pointAt(receiver, "http"),
      ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${ecs.port}/v4/0`,
    });
    const line = await world.bridge.waitFor(({ message }) => String(message).startsWith("the log driver may drop"));
    expect(line).toMatchObject({ level: "warn", driver: "awslogs", mode: "not set" });
    await world.bridge.stop();
    const gauge = [...receiver.points.values()].find(({ metric }) => metric === "ecs.log_driver.blocking");
    expect(gauge?.value).toBe(0);
  });
});

describe(`OTEL_* variables that no gRPC exporter can be made of (${underTest})`, () => {
  test.each([
    ["an endpoint that is no URL", { OTEL_EXPORTER_OTLP_ENDPOINT: "no URL" }],
    ["a header's name with a space", { OTEL_EXPORTER_OTLP_HEADERS: "x y=hidden-value" }],
    ["a header's value with a line break", { OTEL_EXPORTER_OTLP_HEADERS: "authorization=hidden-value%0A" }],
  ])("%s: the start ends with a line that names the variables, and no value of theirs", async (_, variables) => {
    const started = startWorld({ ...QUICK, OBSERVE_TYPE: "grpc", ...variables });
    const output = await started.then(
      () => "it started",
      (error: unknown) => String(error),
    );
    expect(output).toContain("[telemetry-unusable]; next: look at the URL in OTEL_EXPORTER_OTLP_ENDPOINT");
    expect(output).not.toContain("hidden-value");
  });
});

test(`an endpoint that is no URL is told of without the credentials in it (${underTest})`, async () => {
  const endpoint = "http://user:hidden-value@collector:99999";
  await using world = await startWorld({ ...QUICK, OBSERVE_TYPE: "http", OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  const line = await world.bridge.waitFor(({ message }) => message === "opentelemetry");
  expect(line["detail"]).toContain("'http://…@collector:99999'");
  expect(world.bridge.output()).not.toContain("hidden-value");
});
