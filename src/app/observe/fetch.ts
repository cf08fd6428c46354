import type { BoundedFetch, BoundedResponse, OutgoingRequest } from "../../lib/bounded-fetch.ts";
import { UpstreamFault } from "../../lib/upstream-fault.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { Span } from "../../telemetry/tracing.ts";

/** A client span and its duration for each try of a call. Adds nothing to what is sent: no upstream learns of our traces. */
export function observeCalls(fetch: BoundedFetch, { tracing, metrics }: Telemetry): BoundedFetch {
  return async (request) => {
    const { hostname, port, protocol, origin, pathname } = new URL(request.url);
    const target = {
      "http.request.method": request.method,
      "server.address": hostname,
      "server.port": port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    };
    const span = tracing.start(`${request.method} ${request.upstream}`, {
      kind: "client",
      attributes: { ...target, "url.full": origin + pathname, "upstream.operation": request.operation },
    });
    const startedMs = performance.now();
    const ended = (result: { readonly "http.response.status_code"?: number; readonly "error.type"?: string }): void => {
      metrics.record("http.client.request.duration", (performance.now() - startedMs) / 1000, { ...target, ...result });
      span.set(result);
      span.end();
    };
    try {
      const response = await span.run(() => fetch(request));
      ended(describe(response, span));
      return response;
    } catch (error) {
      const code = error instanceof UpstreamFault ? error.code : "other";
      span.fail(undefined, error instanceof Error ? error : undefined);
      ended({ "error.type": code });
      throw error;
    }
  };
}

function describe({ status }: BoundedResponse, span: Span) {
  if (status < 400) return { "http.response.status_code": status };
  span.fail();
  return { "http.response.status_code": status, "error.type": String(status) };
}

/** The resources by which GitHub counts (docs.github.com, "Rate limits"); anything else it may name is one more. */
const RESOURCES: ReadonlySet<string> = new Set(["core", "search", "code_search", "graphql", "integration_manifest"]);

/** Counts replies that ask to slow down, and keeps the least that GitHub says is left since it was last exported. */
export function observeLimits(fetch: BoundedFetch, { metrics }: Telemetry): BoundedFetch {
  const least = new Map<string, number>();
  const latest = new Map<string, number>();
  metrics.gauge("github.rate_limit.remaining", () => {
    const readings = [...latest].map(([resource, value]) => ({
      value: least.get(resource) ?? value,
      attributes: { resource },
    }));
    least.clear();
    return readings;
  });

  const look = ({ upstream }: OutgoingRequest, response: BoundedResponse): void => {
    const { status, headers } = response;
    if (status === 429 || (status === 403 && saysLater(headers))) metrics.count("upstream.limited", { upstream });
    const remaining = headers.get("x-ratelimit-remaining");
    if (upstream !== "github" || remaining === null || !/^\d{1,9}$/.test(remaining)) return;
    const named = headers.get("x-ratelimit-resource") ?? "core";
    const resource = RESOURCES.has(named) ? named : "other";
    latest.set(resource, Number(remaining));
    least.set(resource, Math.min(Number(remaining), least.get(resource) ?? Infinity));
  };

  return async (request) => {
    const response = await fetch(request);
    look(request, response);
    return response;
  };
}

/** GitHub's other way to say 429 (docs.github.com, "Rate limits for the REST API"). */
function saysLater(headers: Headers): boolean {
  return headers.has("retry-after") || headers.get("x-ratelimit-remaining") === "0";
}
