import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { AskedProfile, Caller } from "../../src/http/caller.ts";
import { resolvedFields } from "../../src/vending/audit-token.ts";
import { authorize, type AuthorizedRequest, type VendingTarget } from "../../src/vending/authorize.ts";
import { cacheKey } from "../../src/vending/cache-key.ts";
import { callerScopeOf } from "../../src/vending/canonical-profile.ts";
import { describeToken } from "../../src/vending/describe-token.ts";
import { authorizedRequest, WEB } from "../support/authorized-requests.ts";

const SCOPES = ["widget", "Widget", "gadget"];

test("whatever a caller that is in use asks for, in whatever order and again, has the key, description and audit fields of a stranger's", () =>
  fc.assert(
    fc.property(
      fc.array(authorizedRequest, { minLength: 2, maxLength: 3 }),
      fc.array(fc.record({ profile: fc.nat(), app: fc.nat(), policy: fc.nat(), scope: fc.nat() }), { maxLength: 20 }),
      (requests, asks) => {
        const from = (index: number): AuthorizedRequest => requests[index % requests.length] as AuthorizedRequest;
        const { identity } = from(0);
        const caller = new Caller(identity);
        for (const ask of asks) {
          const { profile, target: own } = from(ask.profile);
          const [{ app }, { policyDigest }] = [from(ask.app), from(ask.policy)];
          const target = callerScopeOf(own) === undefined ? own : scopedTo(SCOPES[ask.scope % SCOPES.length] ?? "");
          const callerScope = callerScopeOf(target);
          const asked = caller.asks(profile, app, policyDigest);
          const scoped = callerScope === undefined ? asked : asked.scopedTo(callerScope);
          const known = authorized(scoped.requestFor(target));
          const anew = authorized({ identity, policyDigest, profile, app, target });
          expect(cacheKey(known, WEB.host)).toEqual(cacheKey(anew, WEB.host));
          expect(describeToken(known)).toEqual(describeToken(anew));
          const facts = { identity, policyDigest, profile, app, callerScope };
          expect(scoped.part.members).toEqual(resolvedFields(facts));
        }
      },
    ),
    { numRuns: 2_000 },
  ));

test("the rules that let a caller in are shown as they are now", () => {
  const asked = fc
    .sample(authorizedRequest, 1)
    .map((one) => new AskedProfile(one.identity, one.profile, one.app, "d", undefined));
  for (const one of asked) {
    const branch = { claim: "build_branch", value: "main" } as const;
    const tag = { claim: "build_tag", value: "v1" } as const;
    for (const matches of [[branch], [branch], [tag], [branch, tag], [], [branch]])
      expect(one.matched(matches).members).toEqual({ matches });
  }
});

function scopedTo(callerScope: string): VendingTarget {
  return { kind: "organization", repositories: { kind: "names", names: [callerScope] }, callerScope };
}

function authorized(request: Parameters<typeof authorize>[0]): AuthorizedRequest {
  const authorization = authorize(request, undefined);
  if (authorization.kind !== "authorized") throw new Error(authorization.kind);
  return authorization.request;
}
