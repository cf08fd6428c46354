import { Elysia } from "elysia";
import { BridgeError } from "../lib/bridge-error.ts";
import { IDLE_SECONDS, plainText, type Connection, type RequestHandler } from "./request-handler.ts";

export interface ServerOptions {
  readonly port: number;
  readonly hostname?: string;
}

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
}

/** Well above our own limit of 20 KiB, so that ours answers first and in its own words. */
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Listens, and hands every request to one plain function.
 *
 * Elysia is the shell: its router accepts trailing and double slashes, never answers 405 and decodes leniently; so the routes, and all that
 * is security, live in `handle`, which the tests call with and without it, and which answers before that router is asked.
 *
 * Throws `port-unusable` when the address and port cannot be had.
 */
export function startServer(options: ServerOptions, handle: RequestHandler): RunningServer {
  // `reusePort: false`: Elysia shares ports by default, and a second instance on a taken port would silently get half of the requests.
  // `standardHostname: false`: with a Host shorter than 4 characters Elysia would otherwise route the wrong path.
  const app = new Elysia({
    handler: { standardHostname: false },
    serve: { development: false, reusePort: false, idleTimeout: IDLE_SECONDS, maxRequestBodySize: MAX_BODY_BYTES },
  })
    // It never throws; if it does all the same, Elysia would put the error's text into the reply.
    .onError(() => plainText(500, "Internal Server Error"))
    .onRequest(({ request, server }) => handle(request, connectionOf(server, request)));
  try {
    app.listen({ port: options.port, ...(options.hostname === undefined ? {} : { hostname: options.hostname }) });
  } catch (error) {
    throw cannotListen(options, error);
  }
  const port = app.server?.port;
  if (port === undefined) throw new TypeError("the server listens on no TCP port");
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await app.stop();
    },
  };
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process has the port",
  EADDRNOTAVAIL: "this machine does not have the address",
  EACCES: "this user may not have the port",
};

/** The runtime's own words are a question, and do not name the address. */
function cannotListen({ hostname, port }: ServerOptions, cause: unknown): BridgeError {
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "unknown";
  const where = hostname === undefined ? `port ${port}` : `port ${port} of ${hostname}`;
  const reason = REASONS[code] ?? "the system refuses";
  // Without the cause: it would say the same again in worse words.
  return new BridgeError("port-unusable", `cannot listen on ${where}: ${reason} (${code}; SERVER_PORT, SERVER_HOST)`);
}

interface ConnectionLookup {
  readonly timeout: (request: Request, seconds: number) => void;
  readonly requestIP: (
    request: Request,
  ) => { readonly address: string; readonly port: number; readonly family: string } | null;
}

function connectionOf(server: ConnectionLookup | null, request: Request): Connection {
  return {
    peer: peerAddress(server, request),
    closeAfter: (seconds) => server?.timeout(request, seconds),
  };
}

/** `10.0.1.42:34340`, `[2001:db8::1]:34340`; an IPv4 address that arrives mapped into IPv6 is shown as IPv4. */
function peerAddress(server: ConnectionLookup | null, request: Request): string {
  const peer = server?.requestIP(request);
  if (peer === null || peer === undefined) return "";
  const address =
    peer.address.startsWith("::ffff:") && peer.address.includes(".") ? peer.address.slice(7) : peer.address;
  return address.includes(":") ? `[${address}]:${peer.port}` : `${address}:${peer.port}`;
}
