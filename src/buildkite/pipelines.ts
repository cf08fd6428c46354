import * as v from "valibot";
import type { BoundedFetch, BoundedResponse } from "../lib/bounded-fetch.ts";
import { excerpt } from "../lib/excerpt.ts";
import { parseReply } from "../lib/parse-reply.ts";
import type { Secret } from "../lib/secret.ts";
import { UpstreamFault, type UpstreamFaultCode } from "../lib/upstream-fault.ts";
import { judgeReply } from "../lib/upstream-verdict.ts";

const TIMEOUT_MS = 10_000;
/** A pipeline with its whole configuration inlined stays far below this. */
const MAX_BYTES = 4 * 1024 * 1024;

const PipelineReply = v.object({ id: v.string(), repository: v.nullish(v.string()) });

export interface Pipeline {
  readonly id: string;
  /** As Buildkite has it, in any of git's spellings; absent when the pipeline names none. */
  readonly repository?: string;
}

export interface Pipelines {
  /** Reads one pipeline (`GET /v2/organizations/ORG/pipelines/SLUG`). Throws `UpstreamFault`. */
  readonly read: (organizationSlug: string, pipelineSlug: string) => Promise<Pipeline>;
}

export function createPipelines(apiUrl: URL, apiToken: Secret, fetch: BoundedFetch): Pipelines {
  const base = apiUrl.href.replace(/\/+$/, "");
  const call = { upstream: "buildkite", operation: "read pipeline" } as const;
  return {
    read: async (organizationSlug, pipelineSlug) => {
      const response = await fetch({
        ...call,
        method: "GET",
        url: `${base}/v2/organizations/${encodeURIComponent(organizationSlug)}/pipelines/${encodeURIComponent(pipelineSlug)}`,
        headers: {
          accept: "application/json",
          "user-agent": "chinmina-bridge",
          authorization: `Bearer ${apiToken.reveal()}`,
        },
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
      });
      const verdict = judgeReply({ upstream: "buildkite", status: response.status });
      if (verdict !== "success") throw failure(response, verdict);
      const { id, repository } = parseReply(PipelineReply, response, call);
      return typeof repository === "string" && repository !== "" ? { id, repository } : { id };
    },
  };
}

/** 429 is Buildkite's rate limit (buildkite.com/docs/apis/rest-api/limits). */
function failure(response: BoundedResponse, code: UpstreamFaultCode): UpstreamFault {
  const requestId = response.headers.get("x-request-id");
  const retryAfter = response.headers.get("retry-after") ?? response.headers.get("ratelimit-reset");
  return new UpstreamFault(code, "read pipeline", {
    upstream: "buildkite",
    status: response.status,
    ...(requestId === null ? {} : { requestId: excerpt(requestId) }),
    ...(retryAfter !== null && /^\d{1,9}$/.test(retryAfter) ? { retryAfterSeconds: Number(retryAfter) } : {}),
  });
}
