import type { AttributesOf, CounterName, GaugeName, HistogramName } from "./instruments.ts";

/** One value of a gauge at this moment. */
export interface Reading<Name extends GaugeName> {
  readonly value: number;
  readonly attributes: AttributesOf<Name>;
}

/** Numbers about the service. Nothing here throws, waits or grows: names and attributes are those of `INSTRUMENTS` alone. */
export interface Metrics {
  readonly count: <Name extends CounterName>(name: Name, attributes: AttributesOf<Name>) => void;
  readonly record: <Name extends HistogramName>(name: Name, value: number, attributes: AttributesOf<Name>) => void;
  /** `read` is asked at each export, for as many values as there are at the moment. Once a name. */
  readonly gauge: <Name extends GaugeName>(name: Name, read: () => readonly Reading<Name>[]) => void;
}
