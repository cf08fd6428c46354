import { describe, expect, test } from "bun:test";
import { underTest } from "../support/bridge.ts";
import { startWorld } from "../support/world.ts";

const STDOUT = { OBSERVE_ENABLED: "true", OBSERVE_TYPE: "stdout" };

describe(`telemetry (${underTest})`, () => {
  test("goes to standard output through its one writer, a span or a metric a line, flushed at the stop", async () => {
    await using world = await startWorld(STDOUT, { policy: "pipeline: {}\n" });
    expect((await world.ask("/token")).status).toBe(200);
    expect(await world.bridge.stop()).toBe(0);
    const spans = world.bridge.lines.flatMap((line) => line["resourceSpans"]?.[0].scopeSpans[0].spans ?? []);
    const names = spans.map(({ name }: { name: string }) => name);
    expect(names).toContain("/token");
    expect(names).toContain("refresh_organization_profile");
    const metrics = world.bridge.lines.flatMap((line) => line["resourceMetrics"]?.[0].scopeMetrics[0].metrics ?? []);
    expect(metrics.map(({ name }: { name: string }) => name)).toContain("token.vended");
  });

  test("puts the trace's id into the audit line: the caller's, or one of its own", async () => {
    await using world = await startWorld(STDOUT);
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const joined = await world.ask("/token", { headers: { traceparent } });
    expect(joined.audit["traceId"]).toBe("0af7651916cd43dd8448eb211c80319c");
    const own = await world.ask("/token", { headers: { traceparent: "00-nonsense" } });
    expect(own.audit["traceId"]).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  });

  test("OBSERVE_METRICS_ENABLED=false sends spans alone", async () => {
    await using world = await startWorld({ ...STDOUT, OBSERVE_METRICS_ENABLED: "false" });
    await world.ask("/token");
    await world.bridge.stop();
    expect(world.bridge.output()).toContain("resourceSpans");
    expect(world.bridge.output()).not.toContain("resourceMetrics");
  });

  test("OBSERVE_HTTP_TRANSPORT_ENABLED=false leaves out calls to upstreams, and OBSERVE_SERVICE_NAME names the service", async () => {
    await using world = await startWorld({
      ...STDOUT,
      OBSERVE_HTTP_TRANSPORT_ENABLED: "false",
      OBSERVE_SERVICE_NAME: "bridge-of-acme",
    });
    await world.ask("/token");
    await world.bridge.stop();
    expect(world.bridge.output()).not.toMatch(/POST github|http\.client\.request\.duration/);
    expect(world.bridge.output()).toContain(`"key":"service.name","value":{"stringValue":"bridge-of-acme"}`);
  });

  test("OTEL_TRACES_SAMPLER=always_off sends no span, and audit lines keep their trace ids", async () => {
    await using world = await startWorld({ ...STDOUT, OTEL_TRACES_SAMPLER: "always_off" });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { audit } = await world.ask("/token", { headers: { traceparent } });
    expect(audit["traceId"]).toBe("0af7651916cd43dd8448eb211c80319c");
    await world.bridge.stop();
    expect(world.bridge.output()).not.toContain("resourceSpans");
    expect(world.bridge.output()).toContain("token.vended");
  });

  test("with a parent-based sampler, the caller's decision not to trace holds", async () => {
    await using world = await startWorld(STDOUT);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    await world.ask("/token", { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-00` } });
    const traced = "1bf7651916cd43dd8448eb211c80319c";
    await world.ask("/token", { headers: { traceparent: `00-${traced}-b7ad6b7169203331-01` } });
    await world.bridge.stop();
    const spans = world.bridge.lines.flatMap((line) => line["resourceSpans"]?.[0].scopeSpans[0].spans ?? []);
    const ids = new Set(spans.map((span: { traceId: string }) => span.traceId));
    expect([ids.has(traceId), ids.has(traced)]).toEqual([false, true]);
  });

  test("OBSERVE_OTEL_LOG_LEVEL is how much of the SDK's own log is in ours", async () => {
    // The SDK warns of it, and goes on with its default.
    const variables = { OBSERVE_ENABLED: "true", OBSERVE_TYPE: "http", OTEL_EXPORTER_OTLP_ENDPOINT: "no URL" };
    for (const [level, isThere] of [
      ["warn", true],
      ["none", false],
    ] as const) {
      await using world = await startWorld({ ...variables, OBSERVE_OTEL_LOG_LEVEL: level });
      expect(world.bridge.lines.some(({ message }) => message === "opentelemetry")).toBe(isThere);
    }
  });

  test("profiles for Pyroscope are not sent, and that is said", async () => {
    await using world = await startWorld({
      OBSERVE_PYROSCOPE_ENABLED: "true",
      OBSERVE_PYROSCOPE_SERVER_ADDRESS: "https://pyroscope.example.com",
    });
    await world.bridge.waitFor(({ message }) => String(message).startsWith("OBSERVE_PYROSCOPE_ENABLED is true"));
  });

  test("is off unless it is asked for: no trace id, nothing sent", async () => {
    await using world = await startWorld();
    const { audit } = await world.ask("/token");
    expect(audit).not.toHaveProperty("traceId");
    await world.bridge.stop();
    expect(world.bridge.output()).not.toMatch(/resourceSpans|resourceMetrics/);
  });
});
