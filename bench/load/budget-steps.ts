import { renderRequestLine } from "../../src/audit/audit-line.ts";
import { AuditScope } from "../../src/http/audit-scope.ts";
import { authenticate } from "../../src/http/authenticate.ts";
import { openExchange, type Arrival } from "../../src/http/exchange.ts";
import { renderDecision } from "../../src/http/render-decision.ts";
import { toResponse } from "../../src/http/reply.ts";
import { createRequestHandler } from "../../src/http/request-handler.ts";
import { splitRequestTarget } from "../../src/http/request-target.ts";
import { matchRoute } from "../../src/http/routes.ts";
import { readReference, selectProfile } from "../../src/http/select-profile.ts";
import { digestToken } from "../../src/oidc/remembered-tokens.ts";
import type { Simulator } from "../../src/simulator/simulator.ts";
import { authorize, type Authorization } from "../../src/vending/authorize.ts";
import { cacheKey } from "../../src/vending/cache-key.ts";
import { chooseTarget } from "../../src/vending/choose-target.ts";
import { describeToken } from "../../src/vending/describe-token.ts";
import { openBudgetServices } from "./budget-services.ts";
import { FORGOTTEN_AFTER } from "./remembered.ts";

export interface Step {
  readonly name: string;
  readonly what: string;
  /** The steps add up to `whole`, with what the harness itself and the runtime's `Request` cost (`bare`); `beside` is not one of them. */
  readonly part: "step" | "bare" | "whole" | "beside";
  readonly isSlow?: boolean;
  /** Begins with what `bare` measures, which is none of its cost. */
  readonly isWithRequest?: boolean;
  /** `index` is another JWT each time. */
  readonly run: (index: number) => unknown;
}

const JWTS = 2000;
const PROFILE = "release";
const PATH = `/token/${PROFILE}`;
const PEER = "10.0.1.42:34340";
const TIME = "2026-01-12T23:45:42Z";
const REQUEST_ID = "5f0c6a3e-7d0b-4c19-a8c5-0c1f0a6f2b11";

/** The steps of a cached request, by the code that the service runs. Throws when a request would not be served. */
export async function budgetSteps(simulator: Simulator): Promise<readonly Step[]> {
  const services = await openBudgetServices(simulator);
  const { verifier, generation, apps, app, cache, lines, knownTokens, token, settings } = services;
  const handle = createRequestHandler(services);
  const connection = { peer: PEER, closeAfter: () => undefined };

  const issue = (index: number): string => simulator.oidc.issueToken({ jti: String(index), build_branch: "main" });
  const jwts = Array.from({ length: JWTS }, (_, index) => issue(index));
  const fresh = Array.from({ length: FORGOTTEN_AFTER }, (_, index) => issue(JWTS + index));
  const bearers = jwts.map((jwt) => `Bearer ${jwt}`);
  const request = (index: number): Request => {
    const headers = { authorization: at(bearers, index), host: "bridge" };
    return new Request(`http://bridge${PATH}`, { method: "POST", headers });
  };
  const arrive = (index: number): Arrival => {
    const asked = request(index);
    const target = splitRequestTarget(asked.url);
    const match = matchRoute(asked.method, target.path, settings.basePath);
    if (match.kind !== "token") throw new Error("no route");
    return { request: asked, peer: PEER, target, body: undefined, match };
  };
  const { route } = arrive(0).match;
  const callers = bearers.map((bearer) => {
    const authenticated = authenticate(bearer, verifier);
    if (authenticated instanceof Promise || authenticated.kind !== "authenticated") throw new Error("not verified");
    return authenticated.caller;
  });

  const decide = (index: number): Extract<Authorization, { kind: "authorized" }> => {
    const read = readReference(PROFILE, route);
    if (read.kind === "refused") throw new Error("no reference");
    const selected = selectProfile(generation, read.reference, apps);
    if (selected.kind === "refused") throw new Error("no profile");
    const { profile } = selected;
    const choice = chooseTarget(profile, { kind: "token", scope: { kind: "absent" } });
    if (choice.kind !== "target") throw new Error("no target");
    const asked = at(callers, index).asks(profile, app, generation.digest);
    const verdict = authorize(
      asked.requestFor(at(callers, index).identity, choice.target),
      settings.protectedRepository,
    );
    if (verdict.kind !== "authorized") throw new Error("not authorized");
    return verdict;
  };
  const decided = jwts.map((_, index) => decide(index));
  const authorized = at(decided, 0).request;
  const description = describeToken(authorized);

  const renderLine = (index: number): string => {
    const { request: asked, matches } = at(decided, index);
    const facts = { method: "POST", path: PATH, sourceIP: PEER, userAgent: "", id: REQUEST_ID };
    const caller = at(callers, index);
    const scope = new AuditScope(facts);
    scope.asked({ requestedProfile: PROFILE });
    scope.authenticated(caller);
    scope.resolved(caller.asks(asked.profile, asked.app, asked.policyDigest));
    scope.matched(matches);
    const nowMs = services.clock.nowMs();
    scope.vended(knownTokens.of(token, asked), "memory", nowMs);
    return renderRequestLine(TIME, scope.entry(200, 0.1, nowMs));
  };
  const line = renderLine(0);
  const exchange = openExchange(arrive(0), services);
  const known = knownTokens.of(token, authorized);
  const decision = { kind: "token", description, token: known, gitPath: undefined } as const;

  let next = 0;
  const answer = await handle(request(0), connection);
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  return [
    { name: "bare", what: "", part: "bare", run: (index) => request(index).headers.get("authorization") },
    { name: "whole", what: "", part: "whole", isWithRequest: true, run: (index) => handle(request(index), connection) },
    {
      name: "parse",
      what: "path, route, headers, a request id",
      part: "step",
      isWithRequest: true,
      run: (index) => openExchange(arrive(index), services),
    },
    {
      name: "hash and recognize",
      what: "SHA-256 of the JWT; what was proved of it; its key, its times",
      part: "step",
      run: (index) => authenticate(at(bearers, index), verifier),
    },
    { name: "match", what: "profile, App, two match rules, target", part: "step", run: decide },
    {
      name: "cache",
      what: "key, look-up, expiry by two clocks",
      part: "step",
      run: (index) => {
        const { request: asked } = at(decided, index);
        return cache.peek(cacheKey(asked, settings.gitHubWebUrl.host), asked, () => undefined);
      },
    },
    { name: "audit", what: "the entry, and its line", part: "step", run: renderLine },
    {
      name: "write",
      what: "its part of one write for all lines of a turn, waited for",
      part: "step",
      run: () => lines.append(line, "audit").written,
    },
    {
      name: "reply",
      what: "body, headers, the runtime's `Response`",
      part: "step",
      run: () => toResponse(renderDecision(decision, exchange, settings)),
    },
    { name: "of which the hash", what: "", part: "beside", run: (index) => digestToken(at(jwts, index)) },
    {
      name: "RS256 in place of recognizing",
      what: "signature and claims of a JWT that was never seen",
      part: "beside",
      isSlow: true,
      run: () => verifier.verify(at(fresh, next++)),
    },
  ];
}

function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index % list.length];
  if (item === undefined) throw new RangeError("the list is empty");
  return item;
}
