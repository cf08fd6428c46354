import { chain, type MaybePromise } from "../lib/maybe-promise.ts";
import type { PolicyGeneration } from "../profiles/policy.ts";
import type { ProfileReference } from "../profiles/reference.ts";
import { chooseTarget, type Wish } from "../vending/choose-target.ts";
import type { VendingTarget } from "../vending/authorize.ts";
import { callerScopeOf } from "../vending/canonical-profile.ts";
import type { AskedProfile } from "./asked-profile.ts";
import type { AuditScope } from "./audit-scope.ts";
import { authenticate } from "./authenticate.ts";
import type { Caller } from "./caller.ts";
import { readCallerScope } from "./caller-scope.ts";
import { NOTHING, refused, type Decision } from "./decision.ts";
import type { Refusal } from "./error-response.ts";
import { assertWanted, type Exchange } from "./exchange.ts";
import { parseGitCredential } from "./git-credential.ts";
import { readGitRequest, requestedUrl } from "./git-request.ts";
import { isSingleHost } from "./request-target.ts";
import { readReference, selectProfile } from "./select-profile.ts";
import type { Services } from "./services.ts";
import { vendFor } from "./vend-for.ts";

const SKIPPED = "skipped(success): no credentials for requested context";

/**
 * Decides one token request in the order of the contract: authentication (401), profile reference (400), body (413), git's rules
 * (200, 400), profile (404), scope (400), match rules (403), cache, upstreams. Nothing later is looked at while something earlier is wrong.
 *
 * A promise only when somebody has to be asked. Throws and rejects with what upstreams and unexpected faults throw, and with
 * `RequestOver` as soon as it notices that nobody waits any more.
 */
export function decide(exchange: Exchange, services: Services): MaybePromise<Decision> {
  const { request, scope } = exchange;
  if (!isSingleHost(request.headers.get("host"))) {
    return refuse(exchange, { code: "bad-request", cause: "the Host header is not one host[:port]" });
  }
  return chain(authenticate(request.headers.get("authorization"), services.verifier), (authenticated) => {
    assertWanted(exchange.interest);
    if (authenticated.kind === "refused") return refuse(exchange, authenticated.refusal);
    scope.authenticated(authenticated.caller);
    return decideReference(exchange, authenticated.caller, services);
  });
}

function decideReference(exchange: Exchange, caller: Caller, services: Services): MaybePromise<Decision> {
  const read = readReference(exchange.rawProfile, exchange.route);
  if (read.kind === "refused") return refuse(exchange, read.refusal);
  if (exchange.body?.kind === "too-large")
    return refuse(exchange, { code: "body-too-large", cause: "the body is over 20 KiB" });
  const wish = readWish(exchange, services);
  if (wish.kind === "decided") return wish.decision;
  const policy = services.policy();
  if (policy.kind === "unusable") return refuse(exchange, { code: "unavailable", cause: policy.cause });
  return decideProfile(
    exchange,
    caller,
    { generation: policy.generation, reference: read.reference, wish: wish.wish },
    services,
  );
}

type ReadWish =
  { readonly kind: "wish"; readonly wish: Wish } | { readonly kind: "decided"; readonly decision: Decision };

/** What the request wants; on git routes, its rules may answer before any profile is consulted. */
function readWish(exchange: Exchange, { settings }: Services): ReadWish {
  const { route, query, body, scope } = exchange;
  if (route.format === "json") return { kind: "wish", wish: { kind: "token", scope: readCallerScope(query) } };
  const credential = parseGitCredential(body?.kind === "whole" ? body.bytes : new Uint8Array());
  if (credential === undefined) {
    return decided(refuse(exchange, { code: "bad-request", cause: "the body is not in git's credential format" }));
  }
  const requestedRepository = requestedUrl(credential);
  if (requestedRepository !== undefined) scope.asked({ requestedRepository });
  const asked = readGitRequest(credential, settings.gitHubWebUrl.host);
  if (asked.kind === "ask") return { kind: "wish", wish: { kind: "git", path: asked.path } };
  return decided(
    asked.kind === "skip" ? skip(exchange) : refuse(exchange, { code: "bad-request", cause: asked.cause }),
  );
}

interface ProfileWish {
  readonly generation: PolicyGeneration;
  readonly reference: ProfileReference;
  readonly wish: Wish;
}

function decideProfile(
  exchange: Exchange,
  caller: Caller,
  { generation, reference, wish }: ProfileWish,
  services: Services,
): MaybePromise<Decision> {
  const selected = selectProfile(generation, reference, services.apps);
  if (selected.kind === "refused") return refuse(exchange, selected.refusal);
  const { profile, app } = selected;
  const asked = caller.asks(profile, app, generation.digest);
  exchange.scope.resolved(asked);
  const choice = chooseTarget(profile, wish);
  if (choice.kind === "refused") {
    const code = choice.reason === "invalid-scope" ? "bad-request" : choice.reason;
    return refuse(exchange, { code, cause: choice.cause });
  }
  if (choice.kind === "skip") return skip(exchange);
  const gitPath = wish.kind === "git" ? wish.path : undefined;
  const request = narrow(asked, choice.target, exchange.scope).requestFor(caller.identity, choice.target);
  return chain(vendFor(request, choice.asked, services, exchange), (outcome) => {
    switch (outcome.kind) {
      case "token":
        return { kind: "token", description: outcome.description, token: outcome.token, gitPath };
      case "nothing":
        return exchange.route.format === "git" ? skip(exchange) : NOTHING;
      case "refused":
        return refuse(exchange, outcome.refusal);
    }
  });
}

/** From here on the audit entry names the one repository that the caller chose, where it chose one. */
function narrow(asked: AskedProfile, target: VendingTarget, scope: AuditScope): AskedProfile {
  const callerScope = callerScopeOf(target);
  if (callerScope === undefined) return asked;
  const narrowed = asked.scopedTo(callerScope);
  scope.resolved(narrowed);
  return narrowed;
}

/** An understood request that we have nothing for. */
function skip({ scope }: Exchange): Decision {
  scope.error(SKIPPED);
  return NOTHING;
}

function refuse({ scope }: Exchange, refusal: Refusal): Decision {
  scope.error(refusal.cause);
  return refused(refusal);
}

function decided(decision: Decision): ReadWish {
  return { kind: "decided", decision };
}
