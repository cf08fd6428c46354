import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { underTest } from "../support/bridge.ts";
import { fieldOf, parseFilterPattern } from "../support/filter-pattern.ts";
import { allQueries, readCloudWatch } from "../support/observability.ts";
import { exerciseEverything, startObservedWorld } from "../support/observed-world.ts";
import { startOtlpReceiver, type OtlpReceiver } from "../support/otlp-receiver.ts";
import { readQuery, toPrometheusLabel, toPrometheusNames } from "../support/prometheus-names.ts";
import type { OutputLine } from "../support/bridge.ts";

/** Given by the collector to every series. */
const OWN_LABELS = ["job", "instance", "le"];

describe(`what dashboards, alerts and queries name is what the service sends (${underTest})`, () => {
  let receiver: OtlpReceiver;
  let lines: readonly OutputLine[];
  /** Prometheus's name to the labels that its series have. */
  const series = new Map<string, Set<string>>();
  beforeAll(async () => {
    receiver = await startOtlpReceiver();
    await using observed = await startObservedWorld(
      { OBSERVE_TYPE: "http", OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl },
      { logMode: "non-blocking" },
    );
    await exerciseEverything(observed);
    // An upstream that is not there: what cannot be sent has an error instead of a status.
    observed.world.simulator.interceptor = (_request, upstream) =>
      upstream === "buildkite" ? new Response("", { status: 503 }) : undefined;
    await observed.world.ask("/token", { jwt: observed.world.jwt({}, "plugins") });
    observed.world.bridge.process.kill("SIGHUP");
    await observed.world.bridge.waitFor(
      ({ message, trigger }) => message === "profile refreshed" && trigger === "request",
    );
    await observed.world.bridge.stop();
    lines = observed.world.bridge.lines;
    for (const point of receiver.points.values()) {
      for (const name of toPrometheusNames(point)) {
        const labels = series.get(name) ?? new Set(OWN_LABELS);
        for (const attribute of Object.keys(point.attributes)) labels.add(toPrometheusLabel(attribute));
        series.set(name, labels);
      }
    }
  }, 60_000);
  afterAll(async () => receiver[Symbol.asyncDispose]());

  test("every metric of the rules and the dashboard", () => {
    const named = namedMetrics();
    expect([...named].filter((name) => !series.has(name))).toEqual([]);
    expect(named.size).toBeGreaterThan(25);
  });

  test("every label that they select or group by", () => {
    const unknownOf = (query: string): string[] => {
      const { metrics, selected, grouped } = readQuery(query);
      const missing = [...selected].flatMap(([metric, labels]) =>
        [...labels].filter((label) => series.get(metric)?.has(label) === false).map((label) => `${metric}{${label}}`),
      );
      const ungrouped = [...grouped].filter((label) => ![...metrics].some((metric) => series.get(metric)?.has(label)));
      return metrics.size === 0 ? missing : [...missing, ...ungrouped.map((label) => `${query} by ${label}`)];
    };
    expect(allQueries().flatMap(unknownOf)).toEqual([]);
  });

  test("every metric of the service is on the dashboard or in an alert", () => {
    const named = namedMetrics();
    const unused = [...receiver.points.values()].filter(
      (point) => !toPrometheusNames(point).some((name) => named.has(name)),
    );
    expect([...new Set(unused.map(({ metric }) => metric))]).toEqual([]);
  });

  const filters = Object.values(readCloudWatch()).filter(({ Type }) => Type === "AWS::Logs::MetricFilter");
  const countOf = (metric: string): number =>
    filters
      .map(({ Properties }) => Properties)
      .filter(({ MetricTransformations: [transformation] }) => transformation.MetricName === metric)
      .flatMap(({ FilterPattern }) => lines.filter(parseFilterPattern(FilterPattern))).length;

  test("CloudWatch's filters find the lines that they are for", () => {
    const audit = lines.filter(({ message }) => message === "audit_event");
    const withStatus = (least: number) => audit.filter(({ request }) => request.status >= least).length;
    expect(countOf("Requests")).toBe(audit.length);
    expect(countOf("AnsweredRequests")).toBe(audit.length - withStatus(500));
    const ofCallers = audit.filter(({ error }) => String(error).startsWith("too many upstream calls")).length;
    expect(ofCallers).toBeGreaterThan(0);
    expect(countOf("Faults")).toBe(withStatus(500) - ofCallers);
    expect(countOf("LogDriverWarnings")).toBe(1);
    expect(countOf("UpstreamLimits")).toBe(1);
    expect(countOf("UpstreamFailures")).toBe(2);
    for (const quiet of ["SlowRequests", "AuditFailures", "Sheds", "SigningFailures", "SharedCacheOutages"]) {
      expect(countOf(quiet)).toBe(0);
    }
  });

  test("the fields that CloudWatch's queries name are those of the lines", () => {
    const queries = Object.values(readCloudWatch()).filter(({ Type }) => Type === "AWS::Logs::QueryDefinition");
    const named = queries.flatMap(({ Properties }) =>
      [
        ...Properties.QueryString.matchAll(
          /\b(?:request|pipeline|token)\.[\w.]+|\b(?:type|message|level|instance|sequence|error|traceId|time)\b/g,
        ),
      ].map(([field]: [string]) => field),
    );
    const missing = [...new Set(named)].filter((field) => !lines.some((line) => fieldOf(line, field) !== undefined));
    expect(missing).toEqual([]);
    expect(new Set(named).size).toBeGreaterThan(12);
  });
});

function namedMetrics(): Set<string> {
  return new Set(allQueries().flatMap((query) => Array.from(readQuery(query).metrics)));
}
