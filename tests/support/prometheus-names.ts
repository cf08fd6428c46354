/** How OpenTelemetry's names become Prometheus's (opentelemetry.io, "Prometheus and OpenMetrics Compatibility"), for what this service sends. */
const UNITS: Readonly<Record<string, string>> = { s: "seconds", By: "bytes" };

export function toPrometheusNames({ metric, kind, unit }: { metric: string; kind: string; unit: string }): string[] {
  const words = metric
    .replace(/[^a-zA-Z0-9:]/g, "_")
    .split("_")
    .filter((word) => kind !== "sum" || word !== "total");
  const suffix = UNITS[unit];
  const base = suffix === undefined || words.includes(suffix) ? words.join("_") : [...words, suffix].join("_");
  if (kind === "histogram") return [`${base}_bucket`, `${base}_count`, `${base}_sum`];
  return [kind === "sum" ? `${base}_total` : base];
}

export function toPrometheusLabel(attribute: string): string {
  return attribute.replace(/[^a-zA-Z0-9_]/g, "_");
}

const WORDS_OF_PROMQL = new Set(
  (
    "sum min max avg count rate increase absent clamp_min histogram_quantile avg_over_time and or unless by without on ignoring " +
    "label_values"
  ).split(" "),
);

export interface QueryNames {
  readonly metrics: ReadonlySet<string>;
  /** Of each metric, the labels that its selectors name. */
  readonly selected: ReadonlyMap<string, ReadonlySet<string>>;
  /** The labels that results are grouped by. */
  readonly grouped: ReadonlySet<string>;
}

/** The metrics and labels that a PromQL expression names. Recording rules (`a:b:c`) are not among them. */
export function readQuery(expression: string): QueryNames {
  const selected = new Map<string, Set<string>>();
  const grouped = new Set<string>();
  const withoutGroups = expression.replace(/\bby\s*\(([^)]*)\)/g, (_all, labels: string) => {
    for (const label of labels.split(",")) grouped.add(label.trim());
    return " ";
  });
  const withoutSelectors = withoutGroups.replace(
    /([a-zA-Z_:][\w:]*)\{([^}]*)\}/g,
    (_all, metric: string, matchers: string) => {
      const labels = selected.get(metric) ?? new Set();
      for (const [, label] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) labels.add(label ?? "");
      selected.set(metric, labels);
      return `${metric} `;
    },
  );
  const bare = withoutSelectors.replace(/\[[^\]]*\]/g, " ").replace(/"[^"]*"|\$\w+|\$\{\w+\}/g, " ");
  const metrics = new Set(
    [...bare.matchAll(/[a-zA-Z_:][\w:]*/g)]
      .map(([word]) => word)
      .filter((word) => !WORDS_OF_PROMQL.has(word) && !word.includes(":") && word !== "job"),
  );
  return { metrics, selected, grouped };
}
