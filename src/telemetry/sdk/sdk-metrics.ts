import type { Attributes, Meter } from "@opentelemetry/api";
import {
  INSTRUMENTS,
  type CounterName,
  type CounterShape,
  type GaugeName,
  type HistogramName,
  type HistogramShape,
  type InstrumentName,
} from "../instruments.ts";
import type { Metrics } from "../metrics.ts";

/** Makes every instrument when it is first used. */
export function createSdkMetrics(meter: Meter): Metrics {
  const counters = new Map<CounterName, Count>();
  const histograms = new Map<HistogramName, (value: number, attributes: Attributes) => void>();
  return {
    count: (name, attributes) => {
      const count = counters.get(name) ?? remember(counters, name, createCounter(meter, name, INSTRUMENTS[name]));
      count(attributes);
    },
    record: (name, value, attributes) => {
      const record =
        histograms.get(name) ?? remember(histograms, name, createHistogram(meter, name, INSTRUMENTS[name]));
      record(value, attributes);
    },
    gauge: (name, read) => observe(meter, name, read),
  };
}

type Count = (attributes: Attributes) => void;

/**
 * Counts here and hands the sums over at each export: the SDK's own counter sorts and writes out the attributes at every count, which
 * costs more than all the rest of a cached request's telemetry.
 */
function createCounter(meter: Meter, name: string, { unit, meaning, attributes: kinds }: CounterShape): Count {
  const keys = Object.keys(kinds);
  const sums = new Map<string, { readonly attributes: Attributes; value: number }>();
  meter.createObservableCounter(name, { unit, description: meaning }).addCallback((result) => {
    for (const { attributes, value } of sums.values()) result.observe(value, attributes);
  });
  return (attributes) => {
    let id = "";
    for (const key of keys) id += `${String(attributes[key])}\n`;
    const sum = sums.get(id);
    if (sum === undefined) sums.set(id, { attributes, value: 1 });
    else sum.value += 1;
  };
}

function createHistogram(meter: Meter, name: string, { unit, meaning, bounds }: HistogramShape) {
  const advice = { explicitBucketBoundaries: [...bounds] };
  const histogram = meter.createHistogram(name, { unit, description: meaning, advice });
  return (value: number, attributes: Attributes): void => histogram.record(value, attributes);
}

function observe(
  meter: Meter,
  name: GaugeName,
  read: () => readonly { readonly value: number; readonly attributes: Attributes }[],
): void {
  const { unit, meaning } = INSTRUMENTS[name];
  meter.createObservableGauge(name, { unit, description: meaning }).addCallback((result) => {
    for (const { value, attributes } of read()) result.observe(value, attributes);
  });
}

function remember<Name extends InstrumentName, Made>(made: Map<Name, Made>, name: Name, one: Made): Made {
  made.set(name, one);
  return one;
}
