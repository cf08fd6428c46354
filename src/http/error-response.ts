import type { Reply } from "./reply.ts";

/** Why a request got no token, as callers learn it. The true cause is for the audit entry alone. */
export type RefusalCode =
  | "bad-request"
  | "scope-not-accepted"
  | "scope-required"
  | "no-credentials"
  | "invalid-token"
  | "forbidden"
  | "profile-not-found"
  | "profile-unavailable"
  | "body-too-large"
  | "client-gone"
  | "internal"
  | "unavailable";

/** The only table of statuses and public wording. Generic on purpose: a refusal must not reveal policy, nor echo what a client sent. */
export const REFUSALS: Readonly<Record<RefusalCode, { readonly status: number; readonly message: string }>> = {
  "bad-request": { status: 400, message: "Bad Request" },
  "scope-not-accepted": { status: 400, message: "profile does not accept repository scoping" },
  "scope-required": { status: 400, message: "repository scope is required for this profile" },
  "no-credentials": { status: 401, message: "invalid_token" },
  "invalid-token": { status: 401, message: "invalid_token" },
  forbidden: { status: 403, message: "Forbidden" },
  "profile-not-found": { status: 404, message: "profile not found" },
  "profile-unavailable": { status: 404, message: "profile unavailable: validation failed" },
  "body-too-large": { status: 413, message: "Request Entity Too Large" },
  /** nginx's code for a client that went away; nobody is there to read it, but the audit entry shows it. */
  "client-gone": { status: 499, message: "Client Closed Request" },
  internal: { status: 500, message: "Internal Server Error" },
  unavailable: { status: 503, message: "Service Unavailable" },
};

export interface Refusal {
  readonly code: RefusalCode;
  /** For the audit entry. */
  readonly cause: string;
  /** What an upstream asked for, unclamped. Only `unavailable` tells it to the caller. */
  readonly retryAfterSeconds?: number;
  /** Which limit of our own it was that refused. For metrics. */
  readonly shed?: "in-flight" | "queue" | "deadline" | "audit" | "caller-budget";
}

const DEFAULT_RETRY_SECONDS = 5;
/** curl obeys Retry-After without a bound of its own, and a job must not hang for an hour. */
const LONGEST_RETRY_SECONDS = 60;

const TEXT = { "content-type": "text/plain" } as const;
const JSON_TYPE = { "content-type": "application/json" } as const;
const DESCRIPTION = "The access token is invalid";

/** The reply to a refused request: JSON on token routes, an empty body with `Chinmina-Denied` on git routes; 401 is JSON everywhere. */
export function renderRefusal(refusal: Refusal, format: "json" | "git", id: Readonly<Record<string, string>>): Reply {
  const { status, message } = REFUSALS[refusal.code];
  if (refusal.code === "no-credentials" || refusal.code === "invalid-token")
    return renderUnauthorized(refusal.code, id);
  const retry = refusal.code === "unavailable" ? { "retry-after": String(clampRetry(refusal.retryAfterSeconds)) } : {};
  if (format === "json")
    return { status, headers: { ...JSON_TYPE, ...id, ...retry }, text: JSON.stringify({ error: message }) };
  return { status, headers: { ...TEXT, ...id, "chinmina-denied": message, ...retry }, text: "" };
}

/** RFC 6750 section 3: without credentials the challenge names no error. */
function renderUnauthorized(code: "no-credentials" | "invalid-token", id: Readonly<Record<string, string>>): Reply {
  const challenge =
    code === "no-credentials"
      ? `Bearer realm="api"`
      : `Bearer realm="api", error="invalid_token", error_description="${DESCRIPTION}"`;
  const body =
    code === "no-credentials" ? { error: "invalid_token" } : { error: "invalid_token", error_description: DESCRIPTION };
  return {
    status: 401,
    headers: { ...JSON_TYPE, ...id, "www-authenticate": challenge },
    text: JSON.stringify(body),
  };
}

function clampRetry(seconds: number | undefined): number {
  return Math.min(LONGEST_RETRY_SECONDS, Math.max(1, Math.ceil(seconds ?? DEFAULT_RETRY_SECONDS)));
}
