import type { Attributes, Meter } from "@opentelemetry/api";
import {
  INSTRUMENTS,
  type CounterShape,
  type GaugeName,
  type HistogramName,
  type HistogramShape,
  type InstrumentName,
} from "../instruments.ts";
import type { Metrics } from "../metrics.ts";

/**
 * Counters whose attributes are a few known words begin with all of them at 0: a rate can then be told from the first event on, and an
 * alert need not guess whether nothing happened. The other instruments are made when they are first used.
 */
export function createSdkMetrics(meter: Meter): Metrics {
  const counters = new Map<string, Count>();
  const histograms = new Map<HistogramName, (value: number, attributes: Attributes) => void>();
  for (const [name, shape] of Object.entries(INSTRUMENTS)) {
    if (shape.kind === "counter") counters.set(name, createCounter(meter, name, shape));
  }
  return {
    count: (name, attributes) => counters.get(name)?.(attributes),
    record: (name, value, attributes) => {
      const record =
        histograms.get(name) ?? remember(histograms, name, createHistogram(meter, name, INSTRUMENTS[name]));
      record(value, attributes);
    },
    gauge: (name, read) => observe(meter, name, read),
  };
}

const MOST_AT_ZERO = 8;

type Count = (attributes: Attributes) => void;

/**
 * Counts here and hands the sums over at each export: the SDK's own counter sorts and writes out the attributes at every count, which
 * costs more than all the rest of a cached request's telemetry.
 */
function createCounter(meter: Meter, name: string, { unit, meaning, attributes: kinds }: CounterShape): Count {
  const keys = Object.keys(kinds);
  const sums = new Map<string, { readonly attributes: Attributes; value: number }>();
  for (const known of combinations(kinds)) sums.set(idOf(keys, known), { attributes: known, value: 0 });
  meter.createObservableCounter(name, { unit, description: meaning }).addCallback((result) => {
    for (const { attributes, value } of sums.values()) result.observe(value, attributes);
  });
  return (attributes) => {
    const id = idOf(keys, attributes);
    const sum = sums.get(id);
    if (sum === undefined) sums.set(id, { attributes, value: 1 });
    else sum.value += 1;
  };
}

function idOf(keys: readonly string[], attributes: Attributes): string {
  let id = "";
  for (const key of keys) id += `${String(attributes[key])}\n`;
  return id;
}

/** Every combination of words, where all attributes have words and they are few. */
function combinations(kinds: CounterShape["attributes"]): readonly Attributes[] {
  let all: Attributes[] = [{}];
  for (const [key, kind] of Object.entries(kinds)) {
    if (kind === "text" || kind === "number") return [];
    all = all.flatMap((so) => kind.map((word) => Object.assign({}, so, { [key]: word })));
  }
  return all.length <= MOST_AT_ZERO ? all : [];
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
