import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { INSTRUMENTS } from "../../src/telemetry/instruments.ts";
import { underTest } from "../support/bridge.ts";
import { exerciseEverything, startObservedWorld } from "../support/observed-world.ts";
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { CONTRACT_CACHE_ATTRIBUTES, CONTRACT_METRICS, CONTRACT_SPANS } from "../support/telemetry-contract.ts";

const CALLER_TRACE = "0af7651916cd43dd8448eb211c80319c";
/** Where a caller can write something: none of it may come back in a metric, nor any of the baggage anywhere. */
const CANARY = "canary4711";

describe.each(["grpc", "http"] as const)(`telemetry over %s (${underTest})`, (exporter) => {
  let receiver: OtlpReceiver;
  let instance: string;
  let upstreamHeaders: string;
  beforeAll(async () => {
    receiver = await startOtlpReceiver();
    const endpoint = exporter === "grpc" ? receiver.grpcUrl : receiver.httpUrl;
    await using observed = await startObservedWorld({
      OBSERVE_TYPE: exporter,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,service.name=not-this-one",
    });
    const { world } = observed;
    const seen: string[] = [];
    world.simulator.interceptor = (request) => void seen.push(JSON.stringify([...request.headers]));
    const headers = {
      traceparent: `00-${CALLER_TRACE}-b7ad6b7169203331-01`,
      tracestate: "vendor=1",
      baggage: `user=${CANARY}baggage`,
      "user-agent": `${CANARY}agent`,
      "x-request-id": "caller",
      "x-forwarded-for": `${CANARY}forwarded`,
    };
    await world.ask(`/organization/token/any-one-repository?repository-scope=gadget&x=${CANARY}query`, { headers });
    await world.ask(`/token/${CANARY}profile`, { headers });
    await world.ask("/token", { headers, jwt: world.jwt({ build_branch: `${CANARY}branch` }) });
    upstreamHeaders = seen.join("\n");
    await exerciseEverything(observed);
    instance = world.bridge.audit[0]?.["instance"];
    expect(await world.bridge.stop()).toBe(0);
  }, 60_000);
  afterAll(async () => receiver[Symbol.asyncDispose]());

  const spansOf = (name: string): ReceivedSpan[] => receiver.spans.filter((span) => span.name === name);
  const pointsOf = (name: string) => [...receiver.points.values()].filter(({ metric }) => metric === name);

  test("brings every metric of the contract, of its kind and unit, with its attributes", () => {
    const found = CONTRACT_METRICS.flatMap(([name, kind, unit, attributes]) => {
      const points = pointsOf(name);
      const right = points.filter(
        (point) =>
          point.kind === kind &&
          point.unit === unit &&
          (kind !== "sum" || point.isMonotonic) &&
          attributes.every((key) => key in point.attributes),
      );
      return points.length > 0 && right.length === points.length ? [name] : [];
    });
    console.log(`${underTest}, ${exporter}: metrics found ${found.length} / ${CONTRACT_METRICS.length}`);
    expect(found).toEqual(CONTRACT_METRICS.map(([name]) => name));
  });

  test("brings every span of the contract, of its kind, with its attributes", () => {
    const found = CONTRACT_SPANS.flatMap(([name, kind, attributes]) =>
      spansOf(name).some((span) => span.kind === kind && attributes.every((key) => key in span.attributes))
        ? [name]
        : [],
    );
    console.log(`${underTest}, ${exporter}: spans found ${found.length} / ${CONTRACT_SPANS.length}`);
    expect(found).toEqual(CONTRACT_SPANS.map(([name]) => name));
    const onSpans = new Set(receiver.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect(CONTRACT_CACHE_ATTRIBUTES.filter((name) => !onSpans.has(name))).toEqual([]);
  });

  test("knows no other metric than those of the contract", () => {
    const known = new Set(CONTRACT_METRICS.map(([name]) => name));
    expect(Object.keys(INSTRUMENTS).filter((name) => !known.has(name))).toEqual([]);
    expect([...receiver.points.values()].filter(({ metric }) => !known.has(metric))).toEqual([]);
  });

  test("says who it is: service, version, and the instance of its audit lines", () => {
    for (const { resource } of receiver.spans) {
      expect(resource).toMatchObject({
        "service.name": "chinmina-bridge",
        "service.instance.id": instance,
        "deployment.environment.name": "test",
      });
      expect(String(resource["service.version"])).toMatch(/^\d+\.\d+\.\d+/);
    }
  });

  test("joins a caller's trace, in which the calls to upstreams are the request's children", () => {
    const server = spansOf("/organization/token/{profile}").find(({ traceId }) => traceId === CALLER_TRACE);
    expect(server).toMatchObject({ parentSpanId: "b7ad6b7169203331", traceState: "vendor=1" });
    const calls = receiver.spans.filter(({ parentSpanId }) => parentSpanId === server?.spanId);
    expect(calls.map(({ name }) => name)).toContain("POST github");
    const [refresh] = spansOf("refresh_organization_profile");
    expect(refresh).toMatchObject({ parentSpanId: "", status: { code: "STATUS_CODE_OK" } });
    const inRefresh = receiver.spans.filter(({ parentSpanId }) => parentSpanId === refresh?.spanId);
    expect(inRefresh.map(({ name }) => name)).toContain("GET github");
    const [keyset] = spansOf("refresh_keyset");
    const inKeyset = receiver.spans.filter(({ parentSpanId }) => parentSpanId === keyset?.spanId);
    expect(inKeyset.map(({ name }) => name).toSorted()).toEqual(["KMS.Decrypt", "SecretsManager.GetSecretValue"]);
  });

  test("tells no upstream of traces or baggage, and nobody of baggage", () => {
    expect(upstreamHeaders).toContain("authorization");
    expect(upstreamHeaders).not.toMatch(/traceparent|tracestate|baggage/i);
    expect(upstreamHeaders).not.toContain(CANARY);
    expect(receiver.text()).not.toContain(`${CANARY}baggage`);
  });

  test("has nothing that a caller wrote in a metric", () => {
    expect(receiver.text()).toContain(`${CANARY}agent`);
    const written = JSON.stringify([...receiver.points.values()]);
    expect(written).not.toContain(CANARY);
    for (const { metric, attributes } of receiver.points.values()) {
      const { attributes: kinds, sometimes } = INSTRUMENTS[metric as keyof typeof INSTRUMENTS];
      expect(Object.keys({ ...kinds, ...sometimes })).toEqual(expect.arrayContaining(Object.keys(attributes)));
    }
  });

  test("carries no token, JWT or key", () => {
    expect(receiver.text()).not.toMatch(/ghs_|eyJ[\w-]{10}|bkua_|BEGIN [A-Z ]*KEY|Bearer/);
  });

  test("marks 5xx as errors, and 4xx not", () => {
    for (const span of receiver.spans.filter(({ kind }) => kind === "SPAN_KIND_SERVER")) {
      const isFault = Number(span.attributes["http.response.status_code"]) >= 500;
      expect(span.status.code === "STATUS_CODE_ERROR").toBe(isFault);
      expect(span.attributes["error.type"]).toBe(
        isFault ? String(span.attributes["http.response.status_code"]) : undefined,
      );
    }
    const statuses = new Set(receiver.spans.map(({ attributes }) => attributes["http.response.status_code"]));
    expect([200, 401, 404, 503].filter((status) => !statuses.has(status))).toEqual([]);
  });

  test("counts what happened", () => {
    const sum = (name: string, wanted: Readonly<Record<string, string>>): number =>
      pointsOf(name)
        .filter(({ attributes }) => Object.entries(wanted).every(([key, value]) => attributes[key] === value))
        .reduce((total, { value }) => total + value, 0);
    expect(sum("requests.shed", { reason: "caller-budget" })).toBeGreaterThan(0);
    expect(sum("requests.shed", { reason: "in-flight" })).toBe(0);
    expect(sum("upstream.limited", { upstream: "github" })).toBeGreaterThan(0);
    expect(sum("kms.sign", { outcome: "success" })).toBe(1);
    expect(sum("profile.refresh", { outcome: "success" })).toBe(1);
    expect(sum("keyset.refresh", { outcome: "success" })).toBe(1);
    for (const result of ["hit", "miss", "mismatch", "error"]) {
      expect(sum("token.cache.outcome", { "token.cache.result": result, "token.app": "default" })).toBeGreaterThan(0);
    }
    for (const source of ["memory", "valkey", "github"]) {
      expect(sum("token.vended", { "token.source": source, outcome: "success" })).toBeGreaterThan(0);
    }
    for (const outcome of ["forbidden", "invalid-token", "no-credentials", "profile-not-found", "unavailable"]) {
      expect(sum("token.vended", { "token.source": "none", outcome })).toBeGreaterThan(0);
    }
    expect(sum("audit.failures", {})).toBe(0);
    expect(sum("cache.valkey.state", {})).toBe(1);
    expect(sum("ecs.log_driver.blocking", {})).toBe(1);
    expect(sum("github.rate_limit.remaining", { resource: "core" })).toBeGreaterThan(0);
    const requests = pointsOf("http.server.request.duration").reduce((total, { count }) => total + count, 0);
    expect(requests).toBe(sum("token.vended", {}));
  });
});
