import { HEALTH_ALERTS } from "./health-alerts.ts";
import { BURN_RATES, budgetOf, SERVICE_LEVELS, WINDOWS, type ServiceLevel } from "./slos.ts";

/** Where runbooks lie: a section of docs/operations.md an alert. */
const RUNBOOK = "docs/operations.md#";

const recordOf = ({ name }: ServiceLevel, window: string): string =>
  `chinmina:${name.toLowerCase()}:bad_ratio_rate${window}`;

/** The rules as Prometheus reads them. */
export function createRules() {
  return {
    groups: [
      ...SERVICE_LEVELS.map((level) => ({
        name: `chinmina-${level.name.toLowerCase()}`,
        rules: [
          ...WINDOWS.map((window) => ({
            record: recordOf(level, window),
            expr: `${level.bad(window)} / ${level.all(window)}`,
          })),
          ...BURN_RATES.map((burn) => burnAlert(level, burn)),
        ],
      })),
      {
        name: "chinmina-health",
        rules: HEALTH_ALERTS.map(({ name, expression, holds, severity, summary }) => ({
          alert: name,
          expr: expression,
          for: holds,
          labels: { severity },
          annotations: { summary, runbook: RUNBOOK + name.toLowerCase() },
        })),
      },
    ],
  };
}

function burnAlert(level: ServiceLevel, { factor, long, short, severity }: (typeof BURN_RATES)[number]) {
  const limit = `${factor} * ${budgetOf(level)}`;
  return {
    alert: alertOf(level),
    expr: `${recordOf(level, long)} > ${limit} and ${recordOf(level, short)} > ${limit}`,
    for: "2m",
    labels: { severity, burn_rate: String(factor), window: long },
    annotations: {
      summary: summaryOf(level, factor, long),
      runbook: RUNBOOK + alertOf(level).toLowerCase(),
    },
  };
}

function alertOf({ name }: ServiceLevel): string {
  return `Chinmina${name}Burn`;
}

function summaryOf({ meaning, objective }: ServiceLevel, factor: number, long: string): string {
  const allowed = `${Math.round((1 - objective) * 1e6) / 1e4} %`;
  return `Over ${long}, ${meaning} were more than ${factor} times the ${allowed} that are allowed.`;
}

const EVALUATE_HEALTH_AT = "4h";
/** All windows are full by then. */
const EVALUATE_SLO_AT = "3d";
const MINUTES = 3 * 24 * 60;
/** A minute. */
const REQUESTS = 1_000_000;

/** promtool's tests of them: each alert fires under one set of series and is silent under another. */
export function createRuleTests() {
  return {
    rule_files: ["rules.yaml"],
    evaluation_interval: "1h",
    tests: [
      ...SERVICE_LEVELS.flatMap((level) =>
        BURN_RATES.flatMap(({ factor }) => [
          burnTest(level, factor, factor * 1.1, "fires"),
          burnTest(level, factor, factor * 0.9, "is silent"),
        ]),
      ),
      ...HEALTH_ALERTS.flatMap((alert) => [
        {
          name: `${alert.name} fires`,
          interval: "1m",
          input_series: toSeries(alert.firing),
          alert_rule_test: [
            {
              alertname: alert.name,
              eval_time: EVALUATE_HEALTH_AT,
              exp_alerts: [
                {
                  exp_labels: { severity: alert.severity, ...alert.labels },
                  exp_annotations: { summary: alert.summary, runbook: RUNBOOK + alert.name.toLowerCase() },
                },
              ],
            },
          ],
        },
        {
          name: `${alert.name} is silent`,
          interval: "1m",
          input_series: toSeries(alert.silent),
          alert_rule_test: [{ alertname: alert.name, eval_time: EVALUATE_HEALTH_AT, exp_alerts: [] }],
        },
      ]),
    ],
  };
}

/** A steady burn of `actual` times the budget: every alert below it fires, and none above. */
function burnTest(level: ServiceLevel, factor: number, actual: number, says: string) {
  const bad = Math.round(REQUESTS * budgetOf(level) * actual);
  const firing = BURN_RATES.filter((burn) => burn.factor < actual);
  return {
    name: `${alertOf(level)} ${factor} ${says}`,
    interval: "1m",
    input_series: toSeries(burnSeries(level, bad)),
    alert_rule_test: [
      {
        alertname: alertOf(level),
        eval_time: EVALUATE_SLO_AT,
        exp_alerts: firing.map(({ factor: rate, long, severity }) => ({
          exp_labels: { job: "chinmina-bridge", severity, burn_rate: String(rate), window: long },
          exp_annotations: {
            summary: summaryOf(level, rate, long),
            runbook: RUNBOOK + alertOf(level).toLowerCase(),
          },
        })),
      },
    ],
  };
}

function burnSeries({ name }: ServiceLevel, bad: number): Record<string, string> {
  const self = `job="chinmina-bridge",instance="a"`;
  const per = (count: number): string => `0+${count}x${MINUTES}`;
  switch (name) {
    case "Availability":
      return {
        [`token_vended_total{${self},outcome="success"}`]: per(REQUESTS - bad),
        [`token_vended_total{${self},outcome="unavailable"}`]: per(bad + 500),
        [`requests_shed_total{${self},reason="caller-budget"}`]: per(500),
      };
    case "Latency":
      return {
        [`http_server_request_duration_seconds_count{${self},http_response_status_code="200"}`]: per(REQUESTS),
        [`http_server_request_duration_seconds_bucket{${self},http_response_status_code="200",le="1"}`]: per(
          REQUESTS - bad,
        ),
        [`http_server_request_duration_seconds_count{${self},http_response_status_code="503"}`]: per(REQUESTS),
        [`http_server_request_duration_seconds_bucket{${self},http_response_status_code="503",le="1"}`]: per(0),
      };
    case "Audit":
      return {
        [`token_vended_total{${self},outcome="success"}`]: per(REQUESTS),
        [`audit_failures_total{${self}}`]: per(bad),
      };
  }
}

function toSeries(series: Readonly<Record<string, string>>) {
  return Object.entries(series).map(([name, values]) => ({ series: name, values }));
}
