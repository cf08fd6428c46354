import { chain, type MaybePromise } from "../lib/maybe-promise.ts";
import { readBody, type Body } from "./body.ts";
import { openExchange } from "./exchange.ts";
import { createInFlight } from "./in-flight.ts";
import { isSingleHost, percentDecode, splitRequestTarget } from "./request-target.ts";
import { matchRoute, type RouteMatch } from "./routes.ts";
import type { Services } from "./services.ts";
import { exchangeToken } from "./token-exchange.ts";
import { createWorkQueue } from "./work-queue.ts";

/** What a request's connection can tell and do. */
export interface Connection {
  /** The address the request came from. */
  readonly peer: string;
  /** From now on the connection is closed after so many seconds without a reply; bytes that trickle in do not count. */
  readonly closeAfter: (seconds: number) => void;
}

/** Answers one request. Never throws, never rejects. */
export type RequestHandler = (request: Request, connection: Connection) => Response | Promise<Response>;

/** A body must be here within a request's own deadline; no reply is possible before it is. */
const BODY_SECONDS = 20;
/** Longer than a load balancer's 60 seconds, and than our slowest reply: the runtime's idle timeout covers the handler too. */
export const IDLE_SECONDS = 75;

export function createRequestHandler(services: Services): RequestHandler {
  const { clock, settings } = services;
  const load = { inFlight: createInFlight(settings.maxInFlight, clock), queue: createWorkQueue(clock) };

  return (request, connection) => {
    const target = splitRequestTarget(request.url);
    const match = matchRoute(request.method, target.path, settings.basePath);
    return chain<Body | undefined, Response>(readWholeBody(request, connection), (body) => {
      if (match.kind !== "token") return answerPlainly(request, target.path, match);
      const arrival = { request, peer: connection.peer, target, body, match };
      return exchangeToken(openExchange(arrival, services), services, load);
    });
  };
}

function readWholeBody(request: Request, connection: Connection): MaybePromise<Body | undefined> {
  const reading = readBody(request);
  if (reading === undefined) return undefined;
  connection.closeAfter(BODY_SECONDS);
  return reading.then((read) => {
    connection.closeAfter(IDLE_SECONDS);
    return read;
  });
}

function answerPlainly(
  request: Request,
  path: string,
  match: Exclude<RouteMatch, { readonly kind: "token" }>,
): Response {
  switch (match.kind) {
    case "health":
      return isSingleHost(request.headers.get("host")) ? plainText(200, "OK") : plainText(400, "Bad Request");
    case "not-found":
      return percentDecode(path) === undefined ? plainText(400, "Bad Request") : plainText(404, "Not Found");
    case "method-not-allowed":
      return plainText(405, "Method Not Allowed", { allow: match.allow });
  }
}

export function plainText(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain", ...headers } });
}
