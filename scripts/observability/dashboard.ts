import { budgetOf, SERVICE_LEVELS } from "./slos.ts";

const JOB = `job="$job"`;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

interface PanelSketch {
  readonly title: string;
  readonly unit: string;
  /** Legend to query. */
  readonly queries: Readonly<Record<string, string>>;
  readonly description?: string;
  readonly kind?: "timeseries" | "stat";
}

const rate = (selector: string): string => `rate(${selector}[$__rate_interval])`;
const quantile = (share: number, metric: string, by: string): string =>
  `histogram_quantile(${share}, sum by (le${by === "" ? "" : `, ${by}`}) (${rate(`${metric}_bucket{${JOB}}`)}))`;

const ROWS: Readonly<Record<string, readonly PanelSketch[]>> = {
  "Service levels": SERVICE_LEVELS.map((level) => ({
    title: `${level.name}: budget left of 30 days`,
    unit: "percentunit",
    kind: "stat",
    description: `Objective ${level.objective * 100} %: ${level.meaning} spend the rest.`,
    queries: {
      left: `1 - avg_over_time(chinmina:${level.name.toLowerCase()}:bad_ratio_rate1h{${JOB}}[30d]) / ${budgetOf(level)}`,
    },
  })),
  Requests: [
    {
      title: "Token requests by outcome",
      unit: "reqps",
      queries: { "{{outcome}}": `sum by (outcome) (${rate(`token_vended_total{${JOB}}`)})` },
    },
    {
      title: "Refusals by reason",
      unit: "reqps",
      queries: { "{{outcome}}": `sum by (outcome) (${rate(`token_vended_total{${JOB},outcome!~"success|nothing"}`)})` },
    },
    {
      title: "Latency",
      unit: "s",
      queries: {
        p50: quantile(0.5, "http_server_request_duration_seconds", ""),
        p99: quantile(0.99, "http_server_request_duration_seconds", ""),
        "p99 {{http_route}}": quantile(0.99, "http_server_request_duration_seconds", "http_route"),
      },
    },
    {
      title: "Refused by limits of our own",
      unit: "reqps",
      queries: { "{{reason}}": `sum by (reason) (${rate(`requests_shed_total{${JOB}}`)})` },
    },
    {
      title: "Verdicts on OIDC tokens",
      unit: "ops",
      queries: { "{{outcome}}": `sum by (outcome) (${rate(`oidc_verification_total{${JOB}}`)})` },
    },
    {
      title: "Body sizes, p99",
      unit: "bytes",
      queries: {
        requests: quantile(0.99, "http_server_request_body_size_bytes", ""),
        replies: quantile(0.99, "http_server_response_body_size_bytes", ""),
      },
    },
  ],
  Cache: [
    {
      title: "Tokens by where they came from",
      unit: "ops",
      queries: {
        "{{token_source}}": `sum by (token_source) (${rate(`token_vended_total{${JOB},outcome="success"}`)})`,
      },
    },
    {
      title: "What the cache had, by App",
      unit: "ops",
      queries: {
        "{{token_app}} {{token_cache_result}}": `sum by (token_app, token_cache_result) (${rate(`token_cache_outcome_total{${JOB}}`)})`,
      },
    },
    {
      title: "Operations of each level",
      unit: "ops",
      queries: {
        "{{cache_type}} {{cache_operation}} {{cache_status}}": `sum by (cache_type, cache_operation, cache_status) (${rate(`cache_operations_total{${JOB}}`)})`,
      },
    },
    {
      title: "Shared cache: duration, p99",
      unit: "s",
      queries: { "{{cache_operation}}": quantile(0.99, "cache_operation_duration_seconds", "cache_operation") },
    },
    {
      title: "Sealing and opening",
      unit: "ops",
      queries: {
        "{{encryption_operation}} {{encryption_outcome}}": `sum by (encryption_operation, encryption_outcome) (${rate(`cache_encryption_total{${JOB}}`)})`,
      },
    },
    {
      title: "Sealing and opening: duration, p99",
      unit: "s",
      queries: {
        "{{encryption_operation}}": quantile(0.99, "cache_encryption_duration_seconds", "encryption_operation"),
      },
    },
    { title: "Shared cache in use", unit: "bool_yes_no", queries: { "{{instance}}": `cache_valkey_state{${JOB}}` } },
    {
      title: "Tokens made ahead of time",
      unit: "ops",
      queries: { "{{outcome}}": `sum by (outcome) (${rate(`cache_renewals_total{${JOB}}`)})` },
    },
  ],
  Upstreams: [
    {
      title: "Calls by upstream and status",
      unit: "reqps",
      queries: {
        "{{server_address}} {{http_response_status_code}}{{error_type}}": `sum by (server_address, http_response_status_code, error_type) (${rate(`http_client_request_duration_seconds_count{${JOB}}`)})`,
      },
    },
    {
      title: "Duration, p99",
      unit: "s",
      queries: { "{{server_address}}": quantile(0.99, "http_client_request_duration_seconds", "server_address") },
    },
    {
      title: "GitHub's rate limit: left",
      unit: "short",
      queries: { "{{resource}}": `min by (resource) (github_rate_limit_remaining{${JOB}})` },
    },
    {
      title: "Told to slow down",
      unit: "ops",
      queries: { "{{upstream}}": `sum by (upstream) (${rate(`upstream_limited_total{${JOB}}`)})` },
    },
    {
      title: "Signatures by KMS",
      unit: "ops",
      queries: { "{{outcome}}": `sum by (outcome) (${rate(`kms_sign_total{${JOB}}`)})` },
    },
  ],
  "Policy and keys": [
    { title: "Age of the policy", unit: "s", queries: { "{{instance}}": `profile_age_seconds{${JOB}}` } },
    {
      title: "Readings of the profile file",
      unit: "ops",
      queries: { "{{outcome}}": `sum by (outcome) (${rate(`profile_refresh_total{${JOB}}`)})` },
    },
    { title: "Age of the keyset", unit: "s", queries: { "{{instance}}": `keyset_age_seconds{${JOB}}` } },
    {
      title: "Readings of the keyset",
      unit: "ops",
      queries: { "{{outcome}}": `sum by (outcome) (${rate(`keyset_refresh_total{${JOB}}`)})` },
    },
  ],
  Audit: [
    {
      title: "Waiting for standard output",
      unit: "bytes",
      queries: { "{{instance}}": `audit_pending_size_bytes{${JOB}}` },
    },
    {
      title: "Refused for want of an audit line",
      unit: "reqps",
      queries: { refused: `sum (${rate(`audit_failures_total{${JOB}}`)})` },
    },
    { title: "Log driver waits", unit: "bool_yes_no", queries: { "{{instance}}": `ecs_log_driver_blocking{${JOB}}` } },
  ],
};

const WIDTH = 8;
const HEIGHT = 8;

/** A Grafana dashboard for a Prometheus data source. */
export function createDashboard() {
  return {
    uid: "chinmina-bridge",
    title: "Chinmina Bridge",
    tags: ["chinmina"],
    schemaVersion: 39,
    editable: true,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    timezone: "browser",
    templating: {
      list: [
        { name: "datasource", type: "datasource", label: "Data source", query: "prometheus" },
        {
          name: "job",
          type: "query",
          label: "Service",
          datasource: DATASOURCE,
          query: "label_values(audit_failures_total, job)",
          refresh: 2,
        },
      ],
    },
    annotations: { list: [] },
    panels: layOut(),
  };
}

function layOut(): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const [title, sketches] of Object.entries(ROWS)) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    });
    y += 1;
    for (const [index, sketch] of sketches.entries()) {
      const x = (index * WIDTH) % 24;
      if (index > 0 && x === 0) y += HEIGHT;
      panels.push(createPanel(sketch, panels.length + 1, { h: HEIGHT, w: WIDTH, x, y }));
    }
    y += HEIGHT;
  }
  return panels;
}

function createPanel(
  { title, unit, queries, description, kind = "timeseries" }: PanelSketch,
  id: number,
  gridPos: object,
) {
  return {
    id,
    type: kind,
    title,
    ...(description === undefined ? {} : { description }),
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit, ...(unit === "percentunit" ? { max: 1 } : { min: 0 }) }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  };
}
