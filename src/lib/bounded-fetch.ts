import { UpstreamFault, type Upstream } from "./upstream-fault.ts";

export interface OutgoingRequest {
  readonly upstream: Upstream;
  /** What the call is for, as the error message names it: `create installation token`. */
  readonly operation: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Covers connecting, headers and the whole body. */
  readonly timeoutMs: number;
  /** Of the decoded body: a small compressed reply cannot grow past it. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface BoundedResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

export type BoundedFetch = (request: OutgoingRequest) => Promise<BoundedResponse>;

/**
 * One HTTP exchange that always ends: deadline, size limit, no redirect followed, certificates verified whatever the
 * environment says. Judges no status.
 *
 * Throws `UpstreamFault` with `upstream-unavailable` when there is no complete answer in time, and with
 * `upstream-malformed` when the body is over its limit.
 */
export const boundedFetch: BoundedFetch = async (request) => {
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]);
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: "manual",
      signal,
      // An explicit true is the only form that NODE_TLS_REJECT_UNAUTHORIZED=0 does not undo.
      tls: { rejectUnauthorized: true },
      // A proxy must never see a call to this machine, nor credentials sent to a link-local endpoint.
      ...(isLocal(new URL(request.url).hostname) ? { proxy: false as const } : {}),
    });
    return { status: response.status, headers: response.headers, body: await readBounded(response, request) };
  } catch (error) {
    if (error instanceof UpstreamFault) throw error;
    throw new UpstreamFault("upstream-unavailable", `${request.operation}: ${networkReason(error, deadline)}`, {
      upstream: request.upstream,
    });
  }
};

async function readBounded(response: Response, request: OutgoingRequest): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = response.body ?? [];
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > request.maxBytes) {
      throw new UpstreamFault("upstream-malformed", `${request.operation}: reply over ${request.maxBytes} bytes`, {
        upstream: request.upstream,
        status: response.status,
      });
    }
    chunks.push(chunk);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

/** The kind of failure by its code only: the texts of network errors can carry URLs. */
function networkReason(error: unknown, deadline: AbortSignal): string {
  if (deadline.aborted) return "no complete reply in time";
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? `network failure ${code}` : "network failure";
}

function isLocal(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    hostname.startsWith("127.") ||
    hostname.startsWith("169.254.") ||
    hostname.startsWith("[fe80:")
  );
}
