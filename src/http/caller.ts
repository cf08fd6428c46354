import { AuditPart, OpenAuditPart } from "../audit/audit-part.ts";
import type { AuditCaller, AuditToken } from "../audit/entry.ts";
import type { GitHubApp } from "../github/app.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { ClaimMatch, OrganizationProfile, PipelineProfile } from "../profiles/policy.ts";
import { resolvedFields, type ResolvedFacts } from "../vending/audit-token.ts";
import type { AuthorizationRequest, VendingTarget } from "../vending/authorize.ts";
import { RequestMemo } from "../vending/request-memo.ts";

type Profile = PipelineProfile | OrganizationProfile;

/**
 * Who asks, with what follows from that alone: made once for each JWT that is in use. Nothing in it is a decision: rules are evaluated on
 * every request.
 */
export class Caller implements AuditCaller {
  readonly identity: BuildkiteIdentity;
  readonly part: AuditCaller["part"];
  /** What it last asked for: most ask for one thing. */
  #last: AskedProfile | undefined;

  constructor(identity: BuildkiteIdentity) {
    const { organizationSlug, pipelineSlug, jobId, buildNumber, buildBranch } = identity;
    const { subject, issuer, audience, expiresAtEpochSeconds } = identity;
    const expiry = formatEpochSeconds(expiresAtEpochSeconds);
    this.identity = identity;
    this.part = new OpenAuditPart({
      pipeline: { organizationSlug, pipelineSlug, jobID: jobId, buildNumber, buildBranch },
      authorization: { authorized: true, subject, issuer, audience, expiry },
    });
  }

  /** The same object while the same is asked for. */
  asks(profile: Profile, app: GitHubApp, policyDigest: string): AskedProfile {
    if (this.#last?.isFor(profile, app, policyDigest) !== true)
      this.#last = new AskedProfile(this.identity, profile, app, policyDigest, undefined);
    return this.#last;
  }
}

/** One caller and one profile, and the one repository that the caller chose, where it chooses: with what follows from them. */
export class AskedProfile implements ResolvedFacts {
  readonly identity: BuildkiteIdentity;
  readonly profile: Profile;
  readonly app: GitHubApp;
  readonly policyDigest: string;
  readonly callerScope: string | undefined;
  readonly #memo = new RequestMemo();
  #matched: { readonly matches: readonly ClaimMatch[]; readonly part: AuditPart<AuditToken> } | undefined;
  #part: AuditPart<AuditToken> | undefined;
  #scoped: AskedProfile | undefined;

  constructor(
    identity: BuildkiteIdentity,
    profile: Profile,
    app: GitHubApp,
    policyDigest: string,
    callerScope: string | undefined,
  ) {
    this.identity = identity;
    this.profile = profile;
    this.app = app;
    this.policyDigest = policyDigest;
    this.callerScope = callerScope;
  }

  isFor(profile: Profile, app: GitHubApp, policyDigest: string): boolean {
    return this.profile === profile && this.app === app && this.policyDigest === policyDigest;
  }

  /** What audit entries show of it. */
  get part(): AuditPart<AuditToken> {
    return (this.#part ??= new AuditPart(resolvedFields(this)));
  }

  /** What audit entries show of the rules that let it in: the same each time, as long as the rules read the same claims. */
  matched(matches: readonly ClaimMatch[]): AuditPart<AuditToken> {
    if (this.#matched === undefined || !areSame(this.#matched.matches, matches))
      this.#matched = { matches, part: new AuditPart({ matches }) };
    return this.#matched.part;
  }

  scopedTo(callerScope: string): AskedProfile {
    if (this.#scoped?.callerScope !== callerScope)
      this.#scoped = new AskedProfile(this.identity, this.profile, this.app, this.policyDigest, callerScope);
    return this.#scoped;
  }

  /** To be authorized each time. The target's caller scope must be this one's. */
  requestFor(target: VendingTarget): AuthorizationRequest {
    const { identity, policyDigest, profile, app } = this;
    return { identity, policyDigest, profile, app, target, memo: this.#memo };
  }
}

function areSame(ones: readonly ClaimMatch[], others: readonly ClaimMatch[]): boolean {
  return (
    ones.length === others.length &&
    ones.every(({ claim, value }, at) => claim === others[at]?.claim && value === others[at].value)
  );
}
