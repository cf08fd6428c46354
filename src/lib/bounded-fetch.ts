import { isLinkLocalHost, isLoopbackHost } from "./loopback.ts";
import { UpstreamFault, type Upstream } from "./upstream-fault.ts";

/** How the runtime names a connection that was never made: nothing has been sent. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ConnectionRefused",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "FailedToOpenSocket",
]);

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
  /** For whom the call is made, where one caller may not have more than a share. */
  readonly caller?: string;
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
  // Not `AbortSignal.timeout`, which keeps its memory for all of that time: 8 MiB after 20,000 calls.
  const controller = new AbortController();
  const deadline = controller.signal;
  // No timer is due at once, and a call that has waited too long for its turn must not leave.
  const hasTime = request.timeoutMs >= 1;
  const timer = hasTime ? setTimeout(() => controller.abort(), request.timeoutMs) : undefined;
  if (!hasTime) controller.abort();
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
    const code = errorCode(error);
    throw new UpstreamFault("upstream-unavailable", `${request.operation}: ${networkReason(code, deadline)}`, {
      upstream: request.upstream,
      ...(code !== undefined && NOT_CONNECTED.has(code) && !deadline.aborted ? { notSent: true } : {}),
    });
  } finally {
    clearTimeout(timer);
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
function networkReason(code: string | undefined, deadline: AbortSignal): string {
  if (deadline.aborted) return "no complete reply in time";
  return code === undefined ? "network failure" : `network failure ${code}`;
}

function errorCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

function isLocal(hostname: string): boolean {
  return isLoopbackHost(hostname) || isLinkLocalHost(hostname);
}
