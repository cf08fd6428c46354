import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type HistogramMetricData,
} from "@opentelemetry/sdk-metrics";
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Histograms } from "../../../src/telemetry/sdk/histograms.ts";
import { INSTRUMENTS } from "../../../src/telemetry/instruments.ts";

const NAME = "cache.operation.duration";
const { bounds, unit, meaning } = INSTRUMENTS[NAME];
const scope = { name: "chinmina-bridge", version: "1" };

function create(temporality: AggregationTemporality): Histograms {
  return new Histograms({ scope, resource: emptyResource(), temporality, nowMs: () => 1_700_000_000_000 });
}

async function collect(histograms: Histograms): Promise<HistogramMetricData[]> {
  const { resourceMetrics } = await histograms.collect();
  return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics as HistogramMetricData[]);
}

describe("Histograms", () => {
  // The SDK's own is the oracle.
  test("come to what the SDK's own histograms come to, value for value", async () => {
    const measurement = fc.record({
      value: fc.oneof(
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.constantFrom(...bounds),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
      ),
      type: fc.constantFrom("memory" as const, "valkey" as const),
      operation: fc.constantFrom("get" as const, "set" as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(measurement, { maxLength: 60 }), async (measurements) => {
        const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
        const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 });
        const provider = new MeterProvider({ readers: [reader] });
        const theirs = provider
          .getMeter(scope.name)
          .createHistogram(NAME, { unit, description: meaning, advice: { explicitBucketBoundaries: [...bounds] } });
        const ours = create(AggregationTemporality.CUMULATIVE);
        for (const { value, type, operation } of measurements) {
          const attributes = { "cache.type": type, "cache.operation": operation };
          theirs.record(value, attributes);
          ours.record(NAME, value, attributes);
        }
        await provider.forceFlush();
        const expected = exporter
          .getMetrics()
          .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
        const plain = (metrics: readonly unknown[]) =>
          (metrics as HistogramMetricData[]).map(
            ({ descriptor, dataPointType, aggregationTemporality, dataPoints }) => ({
              name: descriptor.name,
              unit: descriptor.unit,
              description: descriptor.description,
              dataPointType,
              aggregationTemporality,
              points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
            }),
          );
        expect(plain(await collect(ours))).toEqual(plain(expected));
        await provider.shutdown();
      }),
      { numRuns: 60 },
    );
  });

  test("begin anew after each export where the exporter prefers what has changed", async () => {
    const attributes = { "cache.type": "valkey", "cache.operation": "get" };
    for (const [temporality, second] of [
      [AggregationTemporality.DELTA, 1],
      [AggregationTemporality.CUMULATIVE, 3],
    ] as const) {
      const histograms = create(temporality);
      histograms.record(NAME, 0.001, attributes);
      histograms.record(NAME, 0.002, attributes);
      expect((await collect(histograms))[0]?.dataPoints[0]?.value.count).toBe(2);
      histograms.record(NAME, 0.003, attributes);
      expect((await collect(histograms))[0]?.dataPoints[0]?.value.count).toBe(second);
    }
  });

  test("without a measurement are nothing", async () => {
    expect(await collect(create(AggregationTemporality.CUMULATIVE))).toEqual([]);
  });
});
