import { AuditPart, OpenAuditPart } from "../audit/audit-part.ts";
import type { AuditCaller, AuditToken } from "../audit/entry.ts";
import type { GitHubApp } from "../github/app.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { ClaimMatch, OrganizationProfile, PipelineProfile } from "../profiles/policy.ts";
import type { AskedProfile, AskedProfiles } from "./asked-profile.ts";

/**
 * Who asks, with what follows from that alone: made once for each JWT that is in use. Nothing in it is a decision: rules are evaluated on
 * every request.
 */
export class Caller implements AuditCaller {
  readonly identity: BuildkiteIdentity;
  readonly part: AuditCaller["part"];
  readonly #profiles: AskedProfiles;
  /** What it last asked for, and what let it in: most ask for one thing. */
  #asked: AskedProfile | undefined;
  #matched: { readonly matches: readonly ClaimMatch[]; readonly part: AuditPart<AuditToken> } | undefined;

  constructor(identity: BuildkiteIdentity, profiles: AskedProfiles) {
    const { organizationSlug, pipelineSlug, jobId, buildNumber, buildBranch } = identity;
    const { subject, issuer, audience, expiresAtEpochSeconds } = identity;
    const expiry = formatEpochSeconds(expiresAtEpochSeconds);
    this.identity = identity;
    this.#profiles = profiles;
    this.part = new OpenAuditPart({
      pipeline: { organizationSlug, pipelineSlug, jobID: jobId, buildNumber, buildBranch },
      authorization: { authorized: true, subject, issuer, audience, expiry },
    });
  }

  asks(profile: PipelineProfile | OrganizationProfile, app: GitHubApp, policyDigest: string): AskedProfile {
    if (this.#asked?.isFor(profile, app, policyDigest) !== true)
      this.#asked = this.#profiles.of(this.identity, profile, app, policyDigest);
    return this.#asked;
  }

  /** What audit entries show of the rules that let it in. */
  matched(matches: readonly ClaimMatch[]): AuditPart<AuditToken> {
    if (this.#matched === undefined || !areSame(this.#matched.matches, matches))
      this.#matched = { matches, part: new AuditPart({ matches }) };
    return this.#matched.part;
  }
}

function areSame(ones: readonly ClaimMatch[], others: readonly ClaimMatch[]): boolean {
  return (
    ones.length === others.length &&
    ones.every(({ claim, value }, at) => claim === others[at]?.claim && value === others[at].value)
  );
}
