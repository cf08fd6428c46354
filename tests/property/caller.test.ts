import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { AskedProfiles } from "../../src/http/asked-profile.ts";
import { Caller } from "../../src/http/caller.ts";
import { resolvedFields } from "../../src/vending/audit-token.ts";
import { authorize, type AuthorizedRequest, type VendingTarget } from "../../src/vending/authorize.ts";
import { cacheKey } from "../../src/vending/cache-key.ts";
import { callerScopeOf } from "../../src/vending/canonical-profile.ts";
import { describeToken } from "../../src/vending/describe-token.ts";
import { authorizedRequest, WEB } from "../support/authorized-requests.ts";

const SCOPES = ["widget", "Widget", "gadget"];

test("whatever is asked for by callers that are in use, in whatever order and again, has the key, description and audit fields of a stranger's", () =>
  fc.assert(
    fc.property(
      fc.array(authorizedRequest, { minLength: 2, maxLength: 3 }),
      fc.array(fc.record({ who: fc.nat(), profile: fc.nat(), app: fc.nat(), policy: fc.nat(), scope: fc.nat() }), {
        maxLength: 20,
      }),
      (requests, asks) => {
        const profiles = new AskedProfiles();
        const callers = requests.map(({ identity }) => new Caller(identity, profiles));
        const from = (index: number): AuthorizedRequest => requests[index % requests.length] as AuthorizedRequest;
        for (const ask of asks) {
          const caller = callers[ask.who % callers.length] as Caller;
          const { identity } = caller;
          const { profile, target: own } = from(ask.profile);
          const [{ app }, { policyDigest }] = [from(ask.app), from(ask.policy)];
          const target = callerScopeOf(own) === undefined ? own : scopedTo(SCOPES[ask.scope % SCOPES.length] ?? "");
          const callerScope = callerScopeOf(target);
          const asked = caller.asks(profile, app, policyDigest);
          const narrowed = callerScope === undefined ? asked : asked.scopedTo(callerScope);
          const known = authorized(narrowed.requestFor(identity, target));
          const anew = authorized({ identity, policyDigest, profile, app, target });
          expect(cacheKey(known, WEB.host)).toEqual(cacheKey(anew, WEB.host));
          expect(describeToken(known)).toEqual(describeToken(anew));
          const facts = { identity, policyDigest, profile, app, callerScope };
          expect(narrowed.part.members).toEqual(resolvedFields(facts));
          expect(known.identity).toBe(identity);
        }
      },
    ),
    { numRuns: 2_000 },
  ));

test("the rules that let a caller in are shown as they are now", () => {
  const branch = { claim: "build_branch", value: "main" } as const;
  const tag = { claim: "build_tag", value: "v1" } as const;
  for (const { identity } of fc.sample(authorizedRequest, 1)) {
    const caller = new Caller(identity, new AskedProfiles());
    for (const matches of [[branch], [branch], [tag], [branch, tag], [], [branch]])
      expect(caller.matched(matches).members).toEqual({ matches });
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
