import type { BoundedFetch, BoundedResponse } from "../lib/bounded-fetch.ts";
import { excerpt } from "../lib/excerpt.ts";
import { readRetryAfter } from "../lib/retry-after.ts";
import type { Secret } from "../lib/secret.ts";
import { UpstreamFault, type UpstreamFaultCode } from "../lib/upstream-fault.ts";
import { judgeReply } from "../lib/upstream-verdict.ts";

const TIMEOUT_MS = 10_000;
/** A pipeline with its whole configuration inlined stays far below this. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface BuildkiteClient {
  /**
   * One GET of the REST API. `path` is below the API's base URL, every segment encoded; `caller` is the pipeline that it
   * is made for. Resolves for success; anything else throws
   * `UpstreamFault`, or `OverBudget` for its caller. Does not look into the body.
   */
  readonly get: (operation: string, path: string, caller?: string) => Promise<BoundedResponse>;
}

export function createBuildkiteClient(apiUrl: URL, apiToken: Secret, fetch: BoundedFetch): BuildkiteClient {
  const base = apiUrl.href.replace(/\/+$/, "");
  return {
    get: async (operation, path, caller) => {
      const response = await fetch({
        upstream: "buildkite",
        operation,
        method: "GET",
        url: base + path,
        headers: {
          accept: "application/json",
          "user-agent": "chinmina-bridge",
          authorization: `Bearer ${apiToken.reveal()}`,
        },
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
        ...(caller === undefined ? {} : { caller }),
      });
      const verdict = judgeReply({ upstream: "buildkite", status: response.status });
      if (verdict !== "success") throw failure(operation, response, verdict);
      return response;
    },
  };
}

/** 429 is Buildkite's rate limit, whose end stands in a header that every reply has (buildkite.com/docs/apis/rest-api/limits). */
function failure(operation: string, response: BoundedResponse, code: UpstreamFaultCode): UpstreamFault {
  const requestId = response.headers.get("x-request-id");
  const retryAfterSeconds =
    readRetryAfter(response.headers) ?? (response.status === 429 ? untilReset(response) : undefined);
  return new UpstreamFault(code, operation, {
    upstream: "buildkite",
    status: response.status,
    ...(requestId === null ? {} : { requestId: excerpt(requestId) }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function untilReset({ headers }: BoundedResponse): number | undefined {
  const reset = headers.get("ratelimit-reset");
  return reset !== null && /^\d{1,9}$/.test(reset) ? Number(reset) : undefined;
}
