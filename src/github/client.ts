import type { BoundedFetch, BoundedResponse } from "../lib/bounded-fetch.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { classifyGitHub } from "./reply-class.ts";

const TIMEOUT_MS = 10_000;
/** The largest reply is a token for hundreds of repositories, or a profile file of 1 MiB in base64. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface GitHubRequest {
  readonly operation: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the API's base URL, with a leading slash, every segment encoded. */
  readonly path: string;
  /** An App JWT or an installation token. */
  readonly bearer: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The pipeline that the call is made for. */
  readonly caller?: string;
}

export interface GitHubClient {
  /**
   * One call to the REST API. Resolves for 2xx and 304; anything else throws `UpstreamFault`, told apart into
   * outages (`upstream-unavailable`) and refusals (`upstream-refused`). Does not look into the body of a success.
   */
  readonly call: (request: GitHubRequest) => Promise<BoundedResponse>;
}

/** What stands beside every call of one client. */
export interface CallHooks {
  /** What it throws is what the call comes to; nothing is sent. */
  readonly beforeCall: (request: GitHubRequest) => void;
  /** Told of every reply, refusals included, before anybody acts on it. */
  readonly onReply: (response: BoundedResponse, request: GitHubRequest) => void;
}

export function createGitHubClient(apiUrl: URL, fetch: BoundedFetch, hooks?: CallHooks): GitHubClient {
  const base = apiUrl.href.replace(/\/+$/, "");
  return {
    call: async (request) => {
      hooks?.beforeCall(request);
      const response = await fetch({
        upstream: "github",
        operation: request.operation,
        method: request.method,
        url: base + request.path,
        headers: {
          accept: "application/vnd.github+json",
          "x-github-api-version": "2022-11-28",
          "user-agent": "chinmina-bridge",
          authorization: `Bearer ${request.bearer}`,
          ...(request.json === undefined ? {} : { "content-type": "application/json" }),
          ...request.headers,
        },
        ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
        ...(request.caller === undefined ? {} : { caller: request.caller }),
      });
      hooks?.onReply(response, request);
      const verdict = classifyGitHub(response);
      if (verdict.kind === "success") return response;
      throw new UpstreamFault(verdict.code, describe(request.operation, verdict.message), {
        upstream: "github",
        status: response.status,
        ...(verdict.requestId === undefined ? {} : { requestId: verdict.requestId }),
        ...(verdict.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: verdict.retryAfterSeconds }),
      });
    },
  };
}

function describe(operation: string, message: string | undefined): string {
  return message === undefined ? operation : `${operation}: ${message}`;
}
