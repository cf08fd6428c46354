import * as v from "valibot";
import type { BoundedResponse } from "../lib/bounded-fetch.ts";
import { excerpt } from "../lib/excerpt.ts";
import { readRetryAfter } from "../lib/retry-after.ts";
import type { UpstreamFaultCode } from "../lib/upstream-fault.ts";
import { judgeReply } from "../lib/upstream-verdict.ts";

export type ReplyClass =
  | { readonly kind: "success" }
  | {
      readonly kind: "failure";
      readonly code: UpstreamFaultCode;
      readonly message?: string;
      readonly requestId?: string;
      readonly retryAfterSeconds?: number;
    };

const ErrorBody = v.object({ message: v.string() });

/**
 * Success, outage or refusal. GitHub says "slow down" with 429 or with 403; a 403 is a limit when it carries
 * `retry-after`, when `x-ratelimit-remaining` is 0, or when its message speaks of a rate limit.
 * Source: docs.github.com, "Rate limits for the REST API" and "Best practices for using the REST API".
 */
export function classifyGitHub(response: BoundedResponse): ReplyClass {
  const { status, headers } = response;
  if (judgeReply({ upstream: "github", status }) === "success") return { kind: "success" };
  const message = errorMessage(response.body);
  const code = judgeReply({ upstream: "github", status, saysLater: status === 403 && isRateLimit(headers, message) });
  if (code === "success") throw new TypeError("a reply that says to come back later is no success");
  const retryAfterSeconds = code === "upstream-unavailable" ? secondsToWait(headers) : undefined;
  const requestId = headers.get("x-github-request-id");
  return {
    kind: "failure",
    code,
    ...(message === undefined ? {} : { message: excerpt(message) }),
    ...(requestId === null ? {} : { requestId: excerpt(requestId) }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

function isRateLimit(headers: Headers, message: string | undefined): boolean {
  return (
    headers.has("retry-after") ||
    headers.get("x-ratelimit-remaining") === "0" ||
    (message !== undefined && /rate limit/i.test(message))
  );
}

function secondsToWait(headers: Headers): number | undefined {
  const retryAfter = readRetryAfter(headers);
  if (retryAfter !== undefined) return retryAfter;
  const reset = headers.get("x-ratelimit-reset");
  const date = Date.parse(headers.get("date") ?? "");
  if (headers.get("x-ratelimit-remaining") !== "0" || reset === null || !/^\d{1,12}$/.test(reset)) return undefined;
  // GitHub's own clock on both sides: ours may be off.
  return Number.isNaN(date) ? undefined : Math.max(1, Number(reset) - Math.floor(date / 1000));
}

function errorMessage(body: Uint8Array): string | undefined {
  try {
    const parsed = v.safeParse(ErrorBody, JSON.parse(new TextDecoder().decode(body)));
    return parsed.success ? parsed.output.message : undefined;
  } catch {
    return undefined;
  }
}
