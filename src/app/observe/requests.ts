import type { ObservedArrival, RequestEnd, RequestObservation, RequestObserver } from "../../http/request-observer.ts";
import type { BuildkiteIdentity } from "../../oidc/buildkite-identity.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { Span, SpanAttributes } from "../../telemetry/tracing.ts";
import { shortProfile } from "../../vending/canonical-profile.ts";
import type { ResolvedFacts } from "../../vending/audit-token.ts";

/**
 * A server span and the request's metrics, by OpenTelemetry's semantic conventions for HTTP. What a caller can vary is in spans alone,
 * never in an attribute of a metric.
 */
export function createRequestObserver({ tracing, metrics }: Telemetry): RequestObserver {
  return {
    begin: (arrival): RequestObservation => {
      const { request, route } = arrival;
      const span = tracing.start(route.pattern, { kind: "server", parent: request.headers });
      if (span.isRecorded) span.set(describeArrival(arrival));
      return {
        traceId: span.traceId,
        run: span.run,
        end: (end) => {
          if (span.isRecorded) describeEnd(span, end);
          measure(metrics, arrival, end);
          span.end();
        },
      };
    },
  };
}

function describeArrival({ request, route, path, peer }: ObservedArrival): SpanAttributes {
  const userAgent = request.headers.get("user-agent");
  return {
    "http.request.method": request.method,
    "http.route": route.pattern,
    "url.scheme": "http",
    "url.path": path,
    "client.address": peer.slice(0, peer.lastIndexOf(":")),
    ...(userAgent === null ? {} : { "user_agent.original": userAgent }),
  };
}

function describeEnd(span: Span, { status, identity, resolved }: RequestEnd): void {
  span.set({
    "http.response.status_code": status,
    ...(identity === undefined ? {} : describeJob(identity)),
    ...(resolved === undefined ? {} : describeProfile(resolved)),
    ...(status >= 500 ? { "error.type": String(status) } : {}),
  });
  if (status >= 500) span.fail();
}

function describeJob(identity: BuildkiteIdentity): SpanAttributes {
  return {
    "buildkite.organization_slug": identity.organizationSlug,
    "buildkite.pipeline_slug": identity.pipelineSlug,
    "buildkite.job_id": identity.jobId,
    "buildkite.build_number": identity.buildNumber,
    "buildkite.build_branch": identity.buildBranch,
  };
}

function describeProfile({ profile, callerScope, app, policyDigest }: ResolvedFacts): SpanAttributes {
  return {
    "profile.version_digest": policyDigest,
    "profile.name": shortProfile(profile, callerScope),
    "profile.app.name": app.name,
    "profile.app.application_id": app.appId,
    "profile.app.installation_id": app.installationId,
  };
}

function measure(metrics: Metrics, { request, route }: ObservedArrival, end: RequestEnd): void {
  const { status, decision, durationMs, requestBytes, replyText, source } = end;
  const server = {
    "http.route": route.pattern,
    "http.request.method": request.method,
    "http.response.status_code": status,
    "url.scheme": "http",
    ...(status >= 500 ? { "error.type": String(status) } : {}),
  };
  metrics.record("http.server.request.duration", durationMs / 1000, server);
  if (requestBytes !== undefined) metrics.record("http.server.request.body.size", requestBytes, server);
  metrics.record("http.server.response.body.size", Buffer.byteLength(replyText ?? ""), server);
  metrics.count("token.vended", {
    "token.source": decision.kind === "token" ? (source ?? "none") : "none",
    "profile.type": route.profileKind,
    outcome: decision.kind === "refused" ? decision.refusal.code : decision.kind === "token" ? "success" : "nothing",
  });
  const shed = decision.kind === "refused" ? decision.refusal.shed : undefined;
  if (shed !== undefined) metrics.count("requests.shed", { reason: shed });
  if (shed === "audit") metrics.count("audit.failures", {});
}
