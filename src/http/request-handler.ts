import { renderTokenReply } from "../token/token-reply.ts";
import { AuditScope } from "./audit-scope.ts";
import { readBody } from "./body.ts";
import { decide, type Decision } from "./decide.ts";
import { renderRefusal } from "./error-response.ts";
import { isSingleHost, splitRequestTarget } from "./request-target.ts";
import { matchRoute, type TokenRoute } from "./routes.ts";
import type { Services } from "./services.ts";

/** Answers one request; `peer` is the address it came from. Never rejects. */
export type RequestHandler = (request: Request, peer: string) => Promise<Response>;

export function createRequestHandler(services: Services): RequestHandler {
  return async (request, peer) => {
    const startedMs = services.clock.monotonicMs();
    const { path } = splitRequestTarget(request.url);
    const match = matchRoute(request.method, path, services.basePath);
    const body = request.body === null ? undefined : await readBody(request.body);
    switch (match.kind) {
      case "health":
        return plainText(200, "OK");
      case "not-found":
        return plainText(404, "Not Found");
      case "method-not-allowed":
        return plainText(405, "Method Not Allowed", { allow: match.allow });
      case "token": {
        const scope = new AuditScope({
          method: request.method,
          path,
          sourceIP: peer,
          userAgent: request.headers.get("user-agent") ?? "",
          id: requestId(request, services),
        });
        const decision = await decideWithinLimits(request, body?.kind === "too-large", services, scope);
        return answer(decision, match.route, scope, startedMs, services);
      }
    }
  };
}

async function decideWithinLimits(
  request: Request,
  tooLarge: boolean,
  services: Services,
  scope: AuditScope,
): Promise<Decision> {
  if (!isSingleHost(request.headers.get("host"))) {
    scope.error("the Host header is not one host[:port]");
    return { kind: "refused", refusal: { code: "bad-request", cause: "bad Host" } };
  }
  if (tooLarge) {
    scope.error("the body is over 20 KiB");
    return { kind: "refused", refusal: { code: "body-too-large", cause: "body too large" } };
  }
  return decide(request, services, scope);
}

/** The line goes to the operating system first, then the reply to the client: no token leaves without its line. */
async function answer(
  decision: Decision,
  route: TokenRoute,
  scope: AuditScope,
  startedMs: number,
  services: Services,
): Promise<Response> {
  const { audit, clock } = services;
  const response = renderDecision(decision, route, services);
  const line = audit.request(scope.entry(response.status, clock.monotonicMs() - startedMs, clock.nowMs()));
  try {
    await line.written;
    return response;
  } catch {
    return renderRefusal({ code: "unavailable", cause: "standard output takes no audit line" }, route.format);
  }
}

function renderDecision(decision: Decision, route: TokenRoute, services: Services): Response {
  switch (decision.kind) {
    case "token":
      return new Response(
        renderTokenReply(decision.description, decision.repositories, decision.token, services.discloseAppIdentifiers),
        { headers: { "content-type": "application/json", "cache-control": "no-store" } },
      );
    case "nothing":
      return new Response(null, { status: 204 });
    case "refused":
      return renderRefusal(decision.refusal, route.format);
  }
}

function plainText(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain", ...headers } });
}

/** A caller's own id is kept when it is a plain word, so that its log and ours can be joined. */
function requestId(request: Request, { newRequestId }: Services): string {
  const offered = request.headers.get("x-request-id");
  return offered !== null && /^[A-Za-z0-9._-]{1,128}$/.test(offered) ? offered : newRequestId();
}
