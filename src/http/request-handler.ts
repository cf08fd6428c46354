import { chain } from "../lib/maybe-promise.ts";
import { readBody, type Body } from "./body.ts";
import { openExchange } from "./exchange.ts";
import { createInFlight } from "./in-flight.ts";
import { isSingleHost, splitRequestTarget } from "./request-target.ts";
import { matchRoute, type RouteMatch } from "./routes.ts";
import type { Services } from "./services.ts";
import { exchangeToken } from "./token-exchange.ts";

/** Answers one request; `peer` is the address it came from. Never throws, never rejects. */
export type RequestHandler = (request: Request, peer: string) => Response | Promise<Response>;

const BAD_PERCENT_ENCODING = /%(?![0-9A-Fa-f]{2})/;

export function createRequestHandler(services: Services): RequestHandler {
  const inFlight = createInFlight(services.settings.maxInFlight, services.clock);

  return (request, peer) => {
    const target = splitRequestTarget(request.url);
    const match = matchRoute(request.method, target.path, services.settings.basePath);
    return chain<Body | undefined, Response>(request.body === null ? undefined : readBody(request.body), (body) => {
      if (match.kind !== "token") return answerPlainly(request, target.path, match);
      return exchangeToken(openExchange({ request, peer, target, body, match }, services), services, inFlight);
    });
  };
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
      return BAD_PERCENT_ENCODING.test(path) ? plainText(400, "Bad Request") : plainText(404, "Not Found");
    case "method-not-allowed":
      return plainText(405, "Method Not Allowed", { allow: match.allow });
  }
}

function plainText(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain", ...headers } });
}
