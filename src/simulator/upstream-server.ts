import type { Clock } from "../lib/clock.ts";
import type { Asker, UpstreamName, WritableJournal } from "./journal.ts";
import { parseJson } from "./json.ts";

/**
 * Stands before every upstream. A returned response is sent instead of the upstream's own; undefined lets the request through.
 * `proceed()` gives the upstream's own answer (once made, with all its effects), to delay or to alter. A promise that never
 * settles is an upstream that hangs.
 */
export type Interceptor = (
  request: Request,
  upstream: UpstreamName,
  proceed: () => Promise<Response>,
) => Response | undefined | Promise<Response | undefined>;

/** One request, read to its end. */
export interface Asked {
  readonly sequence: number;
  readonly method: string;
  /** Of the path, each percent-decoded once; a leading and trailing slash give none. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: string;
}

export interface UpstreamOptions {
  readonly name: UpstreamName;
  /** 0: any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly journal: WritableJournal;
  readonly interceptor: () => Interceptor | undefined;
  readonly identify: (headers: Headers) => Asker;
  readonly answer: (asked: Asked) => Response | Promise<Response>;
}

export interface UpstreamServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
}

/** Serves one upstream on the loopback address, each request journalled on arrival and offered to the interceptor. */
export function serveUpstream(options: UpstreamOptions): UpstreamServer {
  return serveLoopback(options.port, async (request) => {
    const body = await request.text();
    const url = new URL(request.url);
    const json = parseJson(body);
    const recorded = options.journal.write({
      atMs: options.clock.nowMs(),
      upstream: options.name,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      ...options.identify(request.headers),
      ...(json === undefined ? {} : { body: json }),
    });
    const response = await intercepted(options, request, body, async () =>
      options.answer({
        sequence: recorded.sequence,
        method: request.method,
        segments: segmentsOf(url.pathname),
        query: url.searchParams,
        headers: request.headers,
        body,
      }),
    );
    recorded.answered(response.status);
    return response;
  });
}

/** A server on the loopback address that waits as long as its handler does. */
export function serveLoopback(port: number, answer: (request: Request) => Promise<Response>): UpstreamServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    development: false,
    fetch: answer,
    error: (error) => new Response(`simulator: ${error.message}`, { status: 500 }),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

async function intercepted(
  options: UpstreamOptions,
  request: Request,
  body: string,
  answer: () => Promise<Response>,
): Promise<Response> {
  let answered: Promise<Response> | undefined;
  const proceed = (): Promise<Response> => (answered ??= answer());
  const copy = new Request(request.url, {
    method: request.method,
    headers: request.headers,
    ...(body === "" ? {} : { body }),
  });
  return (await options.interceptor()?.(copy, options.name, proceed)) ?? proceed();
}

function segmentsOf(path: string): readonly string[] {
  return path
    .replace(/^\/|\/$/g, "")
    .split("/")
    .map((segment) => decode(segment));
}

/** An escape that cannot be decoded stays as it is, and then names nothing. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
