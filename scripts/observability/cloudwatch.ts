import { BURN_RATES, budgetOf, SERVICE_LEVELS, type ServiceLevel } from "./slos.ts";

/** A metric filter: what lines of the log it counts, as CloudWatch Logs writes it. */
export interface LogMetric {
  readonly metric: string;
  readonly pattern: string;
  /** What a line counts for. Default: 1. */
  readonly value?: string;
}

const AUDIT = `($.type = "audit") && ($.message = "audit_event")`;
const LIMITED = `($.error != "too many upstream calls*")`;

/** Taken from the log alone: audit lines are complete by contract, so that no collector need be trusted with alarms. */
export const LOG_METRICS: readonly LogMetric[] = [
  { metric: "Requests", pattern: `{ ${AUDIT} }` },
  { metric: "Faults", pattern: `{ ${AUDIT} && ($.request.status >= 500) && ${LIMITED} }` },
  { metric: "AnsweredRequests", pattern: `{ ${AUDIT} && ($.request.status < 500) }` },
  { metric: "SlowRequests", pattern: `{ ${AUDIT} && ($.request.status < 500) && ($.request.durationMs > 1000) }` },
  { metric: "AuditFailures", pattern: `{ ${AUDIT} && ($.error = "standard output takes no audit line") }` },
  {
    metric: "AuditFailures",
    pattern: `{ ($.type = "audit") && ($.message = "audit_refusals") }`,
    value: "$.refusedRequests",
  },
  { metric: "PolicyRefreshFailures", pattern: `{ ($.message = "profile refresh failed") }` },
  { metric: "KeysetRefreshFailures", pattern: `{ ($.message = "keyset could not be read again*") }` },
  { metric: "SharedCacheOutages", pattern: `{ ($.message = "valkey: out of use*") }` },
  { metric: "LogDriverWarnings", pattern: `{ ($.message = "the log driver may drop audit lines*") }` },
  { metric: "UpstreamFailures", pattern: `{ ${AUDIT} && ($.request.status = 503) && ($.error = "github: *") }` },
  { metric: "UpstreamFailures", pattern: `{ ${AUDIT} && ($.request.status = 503) && ($.error = "buildkite: *") }` },
  { metric: "UpstreamLimits", pattern: `{ ${AUDIT} && ($.request.status = 503) && ($.error = "*status 429*") }` },
  {
    metric: "SigningFailures",
    pattern: `{ ${AUDIT} && ($.request.status >= 500) && ($.error = "*kms: sign App JWT*") }`,
  },
  { metric: "IssuerFailures", pattern: `{ ($.message = "issuer's keys could not be fetched") }` },
  { metric: "Sheds", pattern: `{ ${AUDIT} && ($.request.status = 503) && ($.error = "too many requests in work") }` },
  { metric: "Sheds", pattern: `{ ${AUDIT} && ($.request.status = 503) && ($.error = "no decision within*") }` },
];

/** More than `above` in `minutes`. Named as the same alert is in Prometheus, whose runbook it has. */
const HEALTH_ALARMS = [
  { alert: "ChinminaLogDriverDropsLines", metric: "LogDriverWarnings", minutes: 5, above: 0 },
  { alert: "ChinminaPolicyStale", metric: "PolicyRefreshFailures", minutes: 30, above: 5 },
  { alert: "ChinminaKeysetStale", metric: "KeysetRefreshFailures", minutes: 60, above: 3 },
  { alert: "ChinminaSharedCacheOut", metric: "SharedCacheOutages", minutes: 10, above: 0 },
  { alert: "ChinminaUpstreamFailing", metric: "UpstreamFailures", minutes: 10, above: 20 },
  { alert: "ChinminaUpstreamLimits", metric: "UpstreamLimits", minutes: 15, above: 5 },
  { alert: "ChinminaSigningFails", metric: "SigningFailures", minutes: 15, above: 2 },
  { alert: "ChinminaIssuerUnreachable", metric: "IssuerFailures", minutes: 10, above: 2 },
  { alert: "ChinminaSheds", metric: "Sheds", minutes: 10, above: 60 },
] as const;

/** Questions to ask of the log. */
export const QUERIES: Readonly<Record<string, string>> = {
  "Requests by status": `filter type = "audit" and message = "audit_event" | stats count(*) as requests by request.status, bin(5m)`,
  "Refusals by reason": `filter type = "audit" and message = "audit_event" and request.status >= 400 | stats count(*) as refusals by request.status, error, pipeline.pipelineSlug | sort refusals desc | limit 50`,
  "Latency by source": `filter type = "audit" and message = "audit_event" and request.status = 200 | stats pct(request.durationMs, 50) as p50, pct(request.durationMs, 99) as p99, count(*) as tokens by token.source, bin(5m)`,
  "Who got a token for a repository": `filter type = "audit" and request.status = 200 and token.vendedRepository like "REPOSITORY" | fields time, pipeline.pipelineSlug, pipeline.buildNumber, pipeline.jobID, token.requestedProfile, token.permissions.0, token.hashedToken`,
  "Everything about one job": `filter type = "audit" and pipeline.jobID = "JOB" | fields time, request.path, request.status, error, token.requestedProfile, traceId, request.id | sort time asc`,
  "Lines that are missing": `filter type = "audit" | stats max(sequence) - min(sequence) + 1 - count_distinct(sequence) as missing by instance | filter missing > 0`,
  "Warnings and errors": `filter level in ["warn", "error"] | stats count(*) as lines by level, message | sort lines desc`,
};

type Resources = Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>;

export function createCloudWatchTemplate() {
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: "Chinmina Bridge: alarms on its service levels and health, and queries, from its log alone.",
    Parameters: {
      Name: {
        Type: "String",
        Default: "chinmina",
        AllowedPattern: "[a-z][a-z0-9-]{1,19}",
        Description: "What every resource's name begins with; that of the other stacks.",
      },
      LogGroupName: {
        Type: "String",
        Default: "/chinmina-bridge/chinmina",
        Description: "The log group of the service's standard output.",
      },
      AlarmTopicArn: {
        Type: "String",
        Default: "",
        Description: "An SNS topic that alarms are sent to; none when empty.",
      },
    },
    Conditions: { HasTopic: { "Fn::Not": [{ "Fn::Equals": [{ Ref: "AlarmTopicArn" }, ""] }] } },
    Resources: { ...metricFilters(), ...burnAlarms(), ...healthAlarms(), ...queries() },
  };
}

const NAMESPACE = { "Fn::Sub": "Chinmina/${Name}" };
const ACTIONS = { "Fn::If": ["HasTopic", [{ Ref: "AlarmTopicArn" }], { Ref: "AWS::NoValue" }] };
const named = (rest: string) => ({ "Fn::Sub": "${Name}-" + rest });

function metricFilters(): Resources {
  const made: Resources = {};
  for (const [index, { metric, pattern, value = "1" }] of LOG_METRICS.entries()) {
    made[`Filter${index + 1}${metric}`] = {
      Type: "AWS::Logs::MetricFilter",
      Properties: {
        FilterName: named(`${metric}-${index + 1}`),
        LogGroupName: { Ref: "LogGroupName" },
        FilterPattern: pattern,
        MetricTransformations: [
          { MetricNamespace: NAMESPACE, MetricName: metric, MetricValue: value, DefaultValue: 0 },
        ],
      },
    };
  }
  return made;
}

/** The bad and all requests of a service level, by their metrics in the log. */
const COUNTED: Readonly<Record<ServiceLevel["name"], { readonly bad: string; readonly all: string }>> = {
  Availability: { bad: "Faults", all: "Requests" },
  Latency: { bad: "SlowRequests", all: "AnsweredRequests" },
  Audit: { bad: "AuditFailures", all: "Requests" },
};

const SECONDS = { "5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21_600, "1d": 86_400, "3d": 86_400 } as const;

function burnAlarms(): Resources {
  const made: Resources = {};
  for (const level of SERVICE_LEVELS) {
    for (const { factor, long, short, severity } of BURN_RATES) {
      const id = `${level.name}Burn${String(factor).replace(".", "x")}`;
      made[`${id}Long`] = ratioAlarm(level, id, long, factor);
      made[`${id}Short`] = ratioAlarm(level, id, short, factor);
      made[id] = {
        Type: "AWS::CloudWatch::CompositeAlarm",
        Properties: {
          AlarmName: named(id),
          AlarmDescription: `Chinmina${level.name}Burn (${severity}): over ${long}, ${level.meaning} were more than ${factor} times what is allowed. See docs/operations.md.`,
          AlarmRule: { "Fn::Sub": `ALARM("\${${id}Long}") AND ALARM("\${${id}Short}")` },
          AlarmActions: ACTIONS,
        },
      };
    }
  }
  return made;
}

/** Without actions of its own: the composite acts. CloudWatch has no period over a day, so three days are three days in turn. */
function ratioAlarm(level: ServiceLevel, id: string, window: keyof typeof SECONDS, factor: number) {
  const { bad, all } = COUNTED[level.name];
  const metric = (metricId: string, name: string) => ({
    Id: metricId,
    ReturnData: false,
    MetricStat: { Period: SECONDS[window], Stat: "Sum", Metric: { Namespace: NAMESPACE, MetricName: name } },
  });
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: named(`${id}-${window}`),
      Metrics: [
        { Id: "share", Expression: "IF(all > 0, bad / all, 0)", Label: "Share that is bad", ReturnData: true },
        metric("bad", bad),
        metric("all", all),
      ],
      EvaluationPeriods: window === "3d" ? 3 : 1,
      Threshold: Math.round(factor * budgetOf(level) * 1e6) / 1e6,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "notBreaching",
    },
  };
}

function healthAlarms(): Resources {
  const made: Resources = {};
  for (const { alert, metric, minutes, above } of HEALTH_ALARMS) {
    made[alert] = {
      Type: "AWS::CloudWatch::Alarm",
      Properties: {
        AlarmName: named(alert),
        AlarmDescription: `${alert}. See docs/operations.md.`,
        Namespace: NAMESPACE,
        MetricName: metric,
        Statistic: "Sum",
        Period: minutes * 60,
        EvaluationPeriods: 1,
        Threshold: above,
        ComparisonOperator: "GreaterThanThreshold",
        TreatMissingData: "notBreaching",
        AlarmActions: ACTIONS,
      },
    };
  }
  return made;
}

function queries(): Resources {
  const made: Resources = {};
  for (const [name, query] of Object.entries(QUERIES)) {
    made[`Query${name.replace(/(?:^| )(\w)/g, (_all, first: string) => first.toUpperCase())}`] = {
      Type: "AWS::Logs::QueryDefinition",
      Properties: {
        Name: { "Fn::Sub": "${Name}/" + name },
        LogGroupNames: [{ Ref: "LogGroupName" }],
        QueryString: query.replaceAll(" | ", "\n| "),
      },
    };
  }
  return made;
}
