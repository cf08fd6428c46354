/** One request that went through. */
export interface ForwardedRequest {
  readonly headers: Headers;
  readonly body: string;
}

export interface RecordingProxy extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ForwardedRequest[];
}

/** A server that hands every request on to `target` unchanged, and keeps it. */
export function startRecordingProxy(target: string): RecordingProxy {
  const requests: ForwardedRequest[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const body = await request.text();
      requests.push({ headers: request.headers, body });
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      return fetch(target + pathname + search, { method, headers, body, redirect: "manual" });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
