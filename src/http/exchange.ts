import { AuditScope } from "./audit-scope.ts";
import type { Body } from "./body.ts";
import { forwardedFor } from "./forwarded-for.ts";
import { percentDecode, type RequestTarget } from "./request-target.ts";
import type { RequestObservation } from "./request-observer.ts";
import type { RouteMatch, TokenRoute } from "./routes.ts";
import type { Services } from "./services.ts";

/** One token request on its way through the pipeline. */
export interface Exchange {
  readonly request: Request;
  readonly requestId: string;
  readonly route: TokenRoute;
  /** The profile segment as it was sent; undefined on a bare route. */
  readonly rawProfile: string | undefined;
  readonly query: string;
  readonly body: Body | undefined;
  readonly scope: AuditScope;
  /** Absent while telemetry is off. */
  readonly observation: RequestObservation | undefined;
  /** Whether anybody still waits for the decision. */
  readonly interest: { isOver: boolean };
}

export interface Arrival {
  readonly request: Request;
  /** The address the request came from. */
  readonly peer: string;
  readonly target: RequestTarget;
  readonly body: Body | undefined;
  readonly match: Extract<RouteMatch, { readonly kind: "token" }>;
}

export function openExchange({ request, peer, target, body, match }: Arrival, services: Services): Exchange {
  const requestId = sanitizeId(request.headers.get("x-request-id")) ?? services.newRequestId();
  const hops = services.settings.trustedProxyHops;
  const client = hops === 0 ? undefined : forwardedFor(request.headers.get("x-forwarded-for"), hops);
  const facts = {
    method: request.method,
    path: target.path,
    sourceIP: peer,
    userAgent: request.headers.get("user-agent") ?? "",
    id: requestId,
  };
  const scope = new AuditScope(client === undefined ? facts : { ...facts, forwardedFor: client });
  const { route, rawProfile } = match;
  const requestedProfile = rawProfile === undefined ? undefined : (percentDecode(rawProfile) ?? rawProfile);
  if (requestedProfile !== undefined) scope.asked({ requestedProfile });
  const observation = services.observer?.begin({ request, route, path: target.path, peer });
  const interest = { isOver: false };
  return { request, requestId, route, rawProfile, query: target.query, body, scope, observation, interest };
}

/** Thrown where work would go on for a request that has been answered already. Nobody sees it. */
export class RequestOver extends Error {}

export function assertWanted({ isOver }: Exchange["interest"]): void {
  if (isOver) throw new RequestOver("nobody waits for this request any more");
}

/** A caller's own id is kept when it is a plain word, so that its log and ours can be joined. */
function sanitizeId(offered: string | null): string | undefined {
  return offered !== null && /^[A-Za-z0-9._-]{1,128}$/.test(offered) ? offered : undefined;
}
