import { beforeAll, describe, expect, test } from "bun:test";
import { buildCollector, SHIPPED_CONFIG, startCollector } from "../../support/collector.ts";
import { allQueries } from "../../support/observability.ts";
import { exerciseEverything, startObservedWorld } from "../../support/observed-world.ts";
import { readQuery, toPrometheusLabel, toPrometheusNames } from "../../support/prometheus-names.ts";
import { CONTRACT_METRICS, CONTRACT_SPANS } from "../../support/telemetry-contract.ts";

let binary: string;
beforeAll(async () => {
  process.env["BRIDGE_UNDER_TEST"] = "binary";
  binary = await buildCollector();
}, 600_000);

test("the shipped configuration is one that the collector accepts", () => {
  const { exitCode, stderr } = Bun.spawnSync([binary, "validate", "--config", SHIPPED_CONFIG]);
  expect({ exitCode, said: stderr.toString() }).toEqual({ exitCode: 0, said: "" });
});

describe.each(["grpc", "http"] as const)("the real collector, over %s from the binary", (exporter) => {
  test("gets every span and every metric of the contract, and offers them to Prometheus by the names that rules and dashboard use", async () => {
    await using collector = await startCollector(binary);
    await using observed = await startObservedWorld({
      OBSERVE_TYPE: exporter,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoints[exporter],
    });
    await exerciseEverything(observed);
    const instance = observed.world.bridge.audit[0]?.["instance"];
    expect(await observed.world.bridge.stop()).toBe(0);
    expect(observed.world.bridge.lines.filter(({ message }) => message === "telemetry cannot be sent")).toEqual([]);
    const spanOf = (name: string, kind: string): boolean => {
      const plain = kind.replace("SPAN_KIND_", "").toLowerCase();
      const title = `${plain.charAt(0).toUpperCase()}${plain.slice(1)}`;
      return new RegExp(`Name +: ${RegExp.escape(name)}\n +Kind +: ${title}`).test(collector.printed());
    };
    const allSpans = () => CONTRACT_SPANS.filter(([name, kind]) => spanOf(name, kind)).map(([name]) => name);
    // The batch processor hands on within five seconds.
    for (let tries = 0; tries < 100 && allSpans().length < CONTRACT_SPANS.length; tries += 1) await Bun.sleep(100);
    const exposition = await collector.scrape();
    const offered = (name: string, labels: readonly string[]): boolean =>
      exposition
        .split("\n")
        .filter((line) => line.startsWith(`${name}{`))
        .some(
          (line) =>
            labels.every((label) => line.includes(`${label}="`)) &&
            line.includes(`job="chinmina-bridge"`) &&
            line.includes(`instance="${instance}"`),
        );
    const metrics = CONTRACT_METRICS.filter(([metric, kind, unit, attributes]) =>
      toPrometheusNames({ metric, kind, unit }).every((name) => offered(name, attributes.map(toPrometheusLabel))),
    ).map(([name]) => name);
    console.log(
      `${exporter}: spans ${allSpans().length} / ${CONTRACT_SPANS.length}, metrics ${metrics.length} / ${CONTRACT_METRICS.length}`,
    );
    expect(allSpans()).toEqual(CONTRACT_SPANS.map(([name]) => name));
    expect(metrics).toEqual(CONTRACT_METRICS.map(([name]) => name));
    const named = new Set(allQueries().flatMap((query) => Array.from(readQuery(query).metrics)));
    expect([...named].filter((name) => !offered(name, []))).toEqual([]);
  }, 60_000);
});
