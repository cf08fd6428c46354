import { ValueType, type Attributes, type HrTime } from "@opentelemetry/api";
import { millisToHrTime, type InstrumentationScope } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type CollectionResult,
  type DataPoint,
  type Histogram,
  type HistogramMetricData,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";
import { INSTRUMENTS, type HistogramName, type HistogramShape } from "../instruments.ts";
import { seriesId } from "./series-id.ts";

export interface HistogramOptions {
  readonly scope: InstrumentationScope;
  readonly resource: Resource;
  /** Since the start, or since the last export: as the exporter prefers it. */
  readonly temporality: AggregationTemporality;
  readonly nowMs: () => number;
}

interface Series {
  readonly attributes: Attributes;
  readonly counts: number[];
  sum: number;
  count: number;
  min: number;
  max: number;
}

interface Instrument {
  readonly shape: HistogramShape;
  readonly keys: readonly string[];
  readonly series: Map<string, Series>;
}

/**
 * Histograms, aggregated here and handed over at each export. The SDK's own sort and write out the attributes at every measurement, which costs a
 * cached request 7 us of CPU (of 45; `bench/telemetry.ts`).
 */
export class Histograms implements MetricProducer {
  readonly #options: HistogramOptions;
  readonly #instruments = new Map<HistogramName, Instrument>();
  #sinceMs: number;

  constructor(options: HistogramOptions) {
    this.#options = options;
    this.#sinceMs = options.nowMs();
  }

  record(name: HistogramName, value: number, attributes: Attributes): void {
    const { shape, keys, series } = this.#instruments.get(name) ?? this.#create(name);
    const id = seriesId(keys, attributes);
    let one = series.get(id);
    if (one === undefined) {
      const counts = Array.from({ length: shape.bounds.length + 1 }, () => 0);
      one = { attributes, counts, sum: 0, count: 0, min: Infinity, max: -Infinity };
      series.set(id, one);
    }
    const bucket = bucketOf(shape.bounds, value);
    one.counts[bucket] = (one.counts[bucket] ?? 0) + 1;
    one.sum += value;
    one.count += 1;
    one.min = Math.min(one.min, value);
    one.max = Math.max(one.max, value);
  }

  collect(): Promise<CollectionResult> {
    const { scope, resource, temporality, nowMs } = this.#options;
    const times = { startTime: millisToHrTime(this.#sinceMs), endTime: millisToHrTime(nowMs()) };
    const metrics = [...this.#instruments].map(([name, instrument]) => toData(name, instrument, temporality, times));
    if (temporality === AggregationTemporality.DELTA) {
      this.#sinceMs = nowMs();
      for (const { series } of this.#instruments.values()) series.clear();
    }
    const filled = metrics.filter(({ dataPoints }) => dataPoints.length > 0);
    const scopeMetrics = filled.length === 0 ? [] : [{ scope, metrics: filled }];
    return Promise.resolve({ resourceMetrics: { resource, scopeMetrics }, errors: [] });
  }

  #create(name: HistogramName): Instrument {
    const shape = INSTRUMENTS[name];
    const instrument = { shape, keys: Object.keys({ ...shape.attributes, ...shape.sometimes }), series: new Map() };
    this.#instruments.set(name, instrument);
    return instrument;
  }
}

/** A value that is a bound counts below it (OTLP, "explicit bounds"). */
function bucketOf(bounds: readonly number[], value: number): number {
  const above = bounds.findIndex((bound) => value <= bound);
  return above === -1 ? bounds.length : above;
}

function toData(
  name: string,
  { shape, series }: Instrument,
  aggregationTemporality: AggregationTemporality,
  { startTime, endTime }: { readonly startTime: HrTime; readonly endTime: HrTime },
): HistogramMetricData {
  const { unit, meaning: description, bounds } = shape;
  const dataPoints: DataPoint<Histogram>[] = [];
  for (const { attributes, counts, sum, count, min, max } of series.values()) {
    const buckets = { boundaries: [...bounds], counts: [...counts] };
    dataPoints.push({ startTime, endTime, attributes, value: { sum, count, min, max, buckets } });
  }
  return {
    descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
    dataPointType: DataPointType.HISTOGRAM,
    aggregationTemporality,
    dataPoints,
  };
}
