/** A condition that needs somebody before the service levels suffer, with series under which it fires and under which it does not. */
export interface HealthAlert {
  readonly name: string;
  readonly expression: string;
  readonly holds: string;
  readonly severity: "page" | "ticket";
  readonly summary: string;
  readonly firing: Readonly<Record<string, string>>;
  readonly silent: Readonly<Record<string, string>>;
  /** Labels that the firing alert has beside `severity`. */
  readonly labels: Readonly<Record<string, string>>;
}

const SELF = `job="chinmina-bridge",instance="a"`;
const INSTANCE = { job: "chinmina-bridge", instance: "a" };
const JOB = { job: "chinmina-bridge" };
/** Series values, one a minute for five hours. */
const always = (value: number): string => `${value}+0x300`;
const growing = (perMinute: number): string => `0+${perMinute}x300`;

/** An alert on a gauge of each instance. */
function gauge(
  name: string,
  metric: string,
  condition: string,
  rest: Pick<HealthAlert, "holds" | "severity" | "summary"> & { readonly bad: number; readonly good: number },
): HealthAlert {
  const { bad, good, ...texts } = rest;
  const series = `${metric}{${SELF}}`;
  return {
    name,
    expression: `max by (job, instance) (${metric}) ${condition}`,
    ...texts,
    firing: { [series]: always(bad) },
    silent: { [series]: always(good) },
    labels: INSTANCE,
  };
}

export const HEALTH_ALERTS: readonly HealthAlert[] = [
  {
    name: "ChinminaNoTelemetry",
    expression: "absent(audit_failures_total)",
    holds: "10m",
    severity: "page",
    summary: "No instance has sent a metric for ten minutes.",
    firing: { "another_metric{}": always(1) },
    silent: { [`audit_failures_total{${SELF}}`]: always(0) },
    labels: {},
  },
  gauge("ChinminaAuditWaiting", "audit_pending_size_bytes", "> 262144", {
    holds: "2m",
    severity: "page",
    summary: "Audit lines wait for standard output: soon no token leaves.",
    bad: 900_000,
    good: 4000,
  }),
  gauge("ChinminaLogDriverDropsLines", "ecs_log_driver_blocking", "== 0", {
    holds: "5m",
    severity: "ticket",
    summary: "The log driver is not in blocking mode: it may drop audit lines.",
    bad: 0,
    good: 1,
  }),
  gauge("ChinminaPolicyStale", "profile_age_seconds", "> 1800", {
    holds: "5m",
    severity: "ticket",
    summary: "The profile file could not be read for half an hour; after PROFILE_MAX_STALE_SECS nobody gets a token.",
    bad: 7200,
    good: 300,
  }),
  gauge("ChinminaKeysetStale", "keyset_age_seconds", "> 3600", {
    holds: "5m",
    severity: "ticket",
    summary: "The keyset could not be read again for an hour: a rotation would not arrive.",
    bad: 7200,
    good: 800,
  }),
  gauge("ChinminaSharedCacheOut", "cache_valkey_state", "== 0", {
    holds: "10m",
    severity: "ticket",
    summary: "The shared cache is out of use: each instance makes its own tokens.",
    bad: 0,
    good: 1,
  }),
  {
    name: "ChinminaUpstreamFailing",
    expression:
      `sum by (job, server_address) (rate(http_client_request_duration_seconds_count{error_type=~"5..|upstream-unavailable"}[10m]))` +
      ` / sum by (job, server_address) (rate(http_client_request_duration_seconds_count[10m])) > 0.25`,
    holds: "5m",
    severity: "page",
    summary: "More than a quarter of the calls to this upstream fail.",
    firing: {
      [`http_client_request_duration_seconds_count{${SELF},server_address="api.github.com",http_response_status_code="201"}`]:
        growing(6),
      [`http_client_request_duration_seconds_count{${SELF},server_address="api.github.com",error_type="upstream-unavailable"}`]:
        growing(4),
    },
    silent: {
      [`http_client_request_duration_seconds_count{${SELF},server_address="api.github.com",http_response_status_code="201"}`]:
        growing(9),
      [`http_client_request_duration_seconds_count{${SELF},server_address="api.github.com",error_type="upstream-unavailable"}`]:
        growing(1),
    },
    labels: { ...JOB, server_address: "api.github.com" },
  },
  {
    name: "ChinminaUpstreamLimits",
    expression: "sum by (job, upstream) (increase(upstream_limited_total[15m])) > 5",
    holds: "5m",
    severity: "ticket",
    summary: "This upstream asks to slow down.",
    firing: { [`upstream_limited_total{${SELF},upstream="github"}`]: growing(2) },
    silent: { [`upstream_limited_total{${SELF},upstream="github"}`]: always(3) },
    labels: { ...JOB, upstream: "github" },
  },
  {
    name: "ChinminaGitHubLimitNear",
    expression: "min by (job, resource) (github_rate_limit_remaining) < 500",
    holds: "5m",
    severity: "ticket",
    summary: "GitHub's hourly limit is nearly used up.",
    firing: { [`github_rate_limit_remaining{${SELF},resource="core"}`]: always(120) },
    silent: { [`github_rate_limit_remaining{${SELF},resource="core"}`]: always(4800) },
    labels: { ...JOB, resource: "core" },
  },
  {
    name: "ChinminaSigningFails",
    expression: `sum by (job) (increase(kms_sign_total{outcome="error"}[15m])) > 2`,
    holds: "5m",
    severity: "page",
    summary: "KMS does not sign: no token can be made once the App's JWT has ended.",
    firing: { [`kms_sign_total{${SELF},outcome="error"}`]: growing(1) },
    silent: {
      [`kms_sign_total{${SELF},outcome="success"}`]: growing(1),
      [`kms_sign_total{${SELF},outcome="error"}`]: always(1),
    },
    labels: JOB,
  },
  {
    name: "ChinminaIssuerUnreachable",
    expression: `sum by (job) (increase(oidc_verification_total{outcome="unavailable"}[10m])) > 2`,
    holds: "2m",
    severity: "page",
    summary: "Jobs cannot be identified: the issuer's keys are not to be had.",
    firing: { [`oidc_verification_total{${SELF},outcome="unavailable"}`]: growing(5) },
    silent: {
      [`oidc_verification_total{${SELF},outcome="invalid"}`]: growing(5),
      [`oidc_verification_total{${SELF},outcome="unavailable"}`]: always(0),
    },
    labels: JOB,
  },
  {
    name: "ChinminaSheds",
    expression: `sum by (job, reason) (rate(requests_shed_total{reason=~"in-flight|deadline"}[10m])) > 0.1`,
    holds: "5m",
    severity: "ticket",
    summary: "The service answers 503 because it has too much to do.",
    firing: { [`requests_shed_total{${SELF},reason="in-flight"}`]: growing(60) },
    silent: {
      [`requests_shed_total{${SELF},reason="caller-budget"}`]: growing(60),
      [`requests_shed_total{${SELF},reason="in-flight"}`]: always(0),
    },
    labels: { ...JOB, reason: "in-flight" },
  },
];
