import type { Attributes, Meter } from "@opentelemetry/api";
import { INSTRUMENTS, type CounterShape, type GaugeName } from "../instruments.ts";
import type { Metrics } from "../metrics.ts";
import type { Histograms } from "./histograms.ts";
import { seriesId } from "./series-id.ts";

/**
 * Counters whose attributes are a few known words begin with all of them at 0: a rate can then be told from the first event on, and an
 * alert need not guess whether nothing happened. The other instruments are made when they are first used.
 */
export function createSdkMetrics(meter: Meter, histograms: Histograms): Metrics {
  const counters = new Map<string, Count>();
  for (const [name, shape] of Object.entries(INSTRUMENTS)) {
    if (shape.kind === "counter") counters.set(name, createCounter(meter, name, shape));
  }
  return {
    count: (name, attributes) => counters.get(name)?.(attributes),
    record: (name, value, attributes) => histograms.record(name, value, attributes),
    gauge: (name, read) => observe(meter, name, read),
  };
}

const MOST_AT_ZERO = 8;

type Count = (attributes: Attributes) => void;

/**
 * Counts here and hands the sums over at each export: the SDK's own counter sorts and writes out the attributes at every count, as it
 * does for histograms (histograms.ts).
 */
function createCounter(meter: Meter, name: string, { unit, meaning, attributes: kinds }: CounterShape): Count {
  const keys = Object.keys(kinds);
  const sums = new Map<string, { readonly attributes: Attributes; value: number }>();
  for (const known of combinations(kinds)) sums.set(seriesId(keys, known), { attributes: known, value: 0 });
  meter.createObservableCounter(name, { unit, description: meaning }).addCallback((result) => {
    for (const { attributes, value } of sums.values()) result.observe(value, attributes);
  });
  return (attributes) => {
    const id = seriesId(keys, attributes);
    const sum = sums.get(id);
    if (sum === undefined) sums.set(id, { attributes, value: 1 });
    else sum.value += 1;
  };
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
