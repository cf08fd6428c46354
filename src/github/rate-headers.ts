import type { BoundedResponse } from "../lib/bounded-fetch.ts";
import { classifyGitHub } from "./reply-class.ts";

/** What GitHub says is left of the primary limit, an hour's worth of calls. */
export interface Quota {
  readonly resource: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetsInSeconds: number;
}

/** No limit of GitHub's lasts longer than the hour that the primary one counts. Who says otherwise would keep us away without end. */
const LONGEST_SECONDS = 3600;

/** Undefined when a reply does not say, as GitHub Enterprise Server does not by default. */
export function readQuota({ headers }: BoundedResponse, nowMs: number): Quota | undefined {
  const limit = wholeNumber(headers.get("x-ratelimit-limit"));
  const remaining = wholeNumber(headers.get("x-ratelimit-remaining"));
  const reset = wholeNumber(headers.get("x-ratelimit-reset"));
  // Nobody has an hour of no calls.
  if (limit === undefined || limit === 0 || remaining === undefined || reset === undefined) return undefined;
  // GitHub's own clock on both sides where it is told: ours may be off.
  const date = Date.parse(headers.get("date") ?? "");
  const nowSeconds = Math.floor((Number.isNaN(date) ? nowMs : date) / 1000);
  const resource = headers.get("x-ratelimit-resource") ?? "core";
  const resetsInSeconds = Math.min(LONGEST_SECONDS, Math.max(1, reset - nowSeconds));
  return { resource, limit, remaining, resetsInSeconds };
}

/** How long to stay away, where a reply says so: `secondary` for every limit but the hour's. */
export interface Limitation {
  readonly kind: "primary" | "secondary";
  readonly seconds: number;
}

/** GitHub asks for a minute at least where it names no time. Source: docs.github.com, "Rate limits for the REST API". */
const UNNAMED_SECONDS = 60;
/** Undefined for every reply that is no limit, outages included. */
export function readLimitation(response: BoundedResponse): Limitation | undefined {
  const { status, headers } = response;
  if (status !== 429 && status !== 403) return undefined;
  const verdict = classifyGitHub(response);
  if (verdict.kind === "success" || verdict.code !== "upstream-unavailable") return undefined;
  const isPrimary = headers.get("x-ratelimit-remaining") === "0" && !headers.has("retry-after");
  const seconds = Math.min(LONGEST_SECONDS, Math.max(1, verdict.retryAfterSeconds ?? UNNAMED_SECONDS));
  return { kind: isPrimary ? "primary" : "secondary", seconds };
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
