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

  test("is off unless it is asked for: no trace id, nothing sent", async () => {
    await using world = await startWorld();
    const { audit } = await world.ask("/token");
    expect(audit).not.toHaveProperty("traceId");
    await world.bridge.stop();
    expect(world.bridge.output()).not.toMatch(/resourceSpans|resourceMetrics/);
  });
});
