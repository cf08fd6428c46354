/** One service level: which share of requests may be bad in 30 days, and how good and bad ones are told from the metrics. */
export interface ServiceLevel {
  readonly name: "Availability" | "Latency" | "Audit";
  /** 0.999: of 1,000 requests one may be bad. */
  readonly objective: number;
  readonly meaning: string;
  /** The bad and all requests a second in PromQL, over `window`. */
  readonly bad: (window: string) => string;
  readonly all: (window: string) => string;
}

const rate = (selector: string, window: string): string => `sum by (job) (rate(${selector}[${window}]))`;
const ANSWERED = `http_response_status_code!~"5.."`;

export const SERVICE_LEVELS: readonly ServiceLevel[] = [
  {
    name: "Availability",
    objective: 0.999,
    meaning: "token requests that fail by no fault of the caller",
    bad: (window) =>
      `clamp_min(${rate(`token_vended_total{outcome=~"internal|unavailable"}`, window)} - ${rate(`requests_shed_total{reason="caller-budget"}`, window)}, 0)`,
    all: (window) => rate(`token_vended_total{outcome!="client-gone"}`, window),
  },
  {
    name: "Latency",
    objective: 0.99,
    meaning: "token requests that take longer than a second",
    bad: (window) =>
      `(${rate(`http_server_request_duration_seconds_count{${ANSWERED}}`, window)} - ${rate(`http_server_request_duration_seconds_bucket{${ANSWERED},le=~"1|1.0"}`, window)})`,
    all: (window) => rate(`http_server_request_duration_seconds_count{${ANSWERED}}`, window),
  },
  {
    name: "Audit",
    objective: 0.9999,
    meaning: "token requests that are refused because their audit line cannot be written",
    bad: (window) => rate("audit_failures_total", window),
    all: (window) => rate("token_vended_total", window),
  },
];

/**
 * How many times faster than allowed the budget is spent, over a long window that says it matters and a short one that says it goes on
 * (Google, The Site Reliability Workbook, "Alerting on SLOs"). At 14.4 an hour takes 2 % of a month's budget.
 */
export const BURN_RATES = [
  { factor: 14.4, long: "1h", short: "5m", severity: "page" },
  { factor: 6, long: "6h", short: "30m", severity: "page" },
  { factor: 3, long: "1d", short: "2h", severity: "ticket" },
  { factor: 1, long: "3d", short: "6h", severity: "ticket" },
] as const;

export const WINDOWS = [...new Set(BURN_RATES.flatMap(({ long, short }) => [long, short]))];

export function budgetOf({ objective }: ServiceLevel): number {
  return Math.round((1 - objective) * 1e6) / 1e6;
}
