import { chain, type MaybePromise } from "../lib/maybe-promise.ts";
import type { TokenDescription } from "../token/token-description.ts";
import { authorize, type AuthorizationRequest, type AuthorizedRequest } from "../vending/authorize.ts";
import { coversAsked, type AskedRepository } from "../vending/coverage.ts";
import { describeToken } from "../vending/describe-token.ts";
import type { VendOutcome } from "../vending/vend.ts";
import type { AuditScope } from "./audit-scope.ts";
import type { Refusal } from "./error-response.ts";
import { assertWanted, type Exchange } from "./exchange.ts";
import type { KnownToken } from "./known-tokens.ts";
import type { Services } from "./services.ts";

export type VendingResult =
  | { readonly kind: "token"; readonly description: TokenDescription; readonly token: KnownToken }
  | { readonly kind: "nothing" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Authorizes a request whose profile and target are known, and vends for it; tells the audit scope what happens. */
export function vendFor(
  request: AuthorizationRequest,
  asked: AskedRepository | undefined,
  services: Services,
  exchange: Exchange,
): MaybePromise<VendingResult> {
  const { scope } = exchange;
  const verdict = authorize(request, services.settings.protectedRepository);
  switch (verdict.kind) {
    case "refused":
      scope.notMatched(verdict.attempted);
      return forbidden("the profile's match rules do not hold");
    case "invalid-claim":
      return forbidden(`claim ${verdict.claim} has a value that no rule may read`);
    case "protected":
      scope.matched(verdict.matches);
      return forbidden("a caller-scoped profile may not write the repository that holds the policy");
    case "authorized":
      scope.matched(verdict.matches);
      return vendAuthorized(verdict.request, asked, services, exchange);
  }
}

function vendAuthorized(
  request: AuthorizedRequest,
  asked: AskedRepository | undefined,
  services: Services,
  { scope, interest }: Exchange,
): MaybePromise<VendingResult> {
  const covered = asked === undefined || coversAsked(request, asked, () => services.apps.account(request.app));
  return chain<boolean, VendingResult>(covered, (isCovered) => {
    assertWanted(interest);
    if (!isCovered) return { kind: "nothing" };
    return chain(services.vend(request, asked, interest), (outcome) => {
      assertWanted(interest);
      // git goes on to its next helper where a token route must say no.
      if (outcome.kind === "foreign-owner" && asked !== undefined) return { kind: "nothing" };
      return conclude(request, outcome, services, scope);
    });
  });
}

function conclude(
  request: AuthorizedRequest,
  outcome: VendOutcome,
  services: Services,
  scope: AuditScope,
): VendingResult {
  switch (outcome.kind) {
    case "vended": {
      const token = services.knownTokens.of(outcome.token, request);
      scope.vended(token, outcome.source, services.clock.nowMs());
      return { kind: "token", description: describeToken(request), token };
    }
    case "foreign-host":
    case "another-repository":
      return { kind: "nothing" };
    case "foreign-owner":
    case "denied":
      return forbidden(outcome.cause);
  }
}

function forbidden(cause: string): VendingResult {
  return { kind: "refused", refusal: { code: "forbidden", cause } };
}
