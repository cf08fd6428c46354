/** An issuer on an ephemeral port of this machine, whose documents a test changes as it goes. */
export interface IssuerServer extends AsyncDisposable {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: string[];
  discovery: () => Response;
  jwks: () => Response;
}

export function startIssuerServer(keys: readonly unknown[]): IssuerServer {
  const requests: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      requests.push(pathname);
      if (pathname === "/.well-known/openid-configuration") return issuer.discovery();
      return pathname === "/jwks" ? issuer.jwks() : new Response("", { status: 404 });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const issuer: IssuerServer = {
    url,
    requests,
    discovery: () => Response.json({ issuer: url, jwks_uri: `${url}/jwks` }),
    jwks: () => Response.json({ keys }),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return issuer;
}
