import { AuditPart } from "../audit/audit-part.ts";
import type { AuditToken } from "../audit/entry.ts";
import type { GitHubApp } from "../github/app.ts";
import { ReusedValues } from "../lib/reused-values.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { OrganizationProfile, PipelineProfile } from "../profiles/policy.ts";
import { resolvedFields, type ResolvedFacts } from "../vending/audit-token.ts";
import type { AuthorizationRequest, VendingTarget } from "../vending/authorize.ts";
import { canonicalProfile, type PipelineName } from "../vending/canonical-profile.ts";
import { RequestMemo } from "../vending/request-memo.ts";

type Profile = PipelineProfile | OrganizationProfile;

/** Those of the last minutes. */
const IN_USE = 2048;

/** What is asked for: one object for all jobs of a pipeline, and of an organization's profile for all of its pipelines, while it is in use. */
export class AskedProfiles {
  readonly #asked = new ReusedValues<string, AskedProfile>(IN_USE);

  of(pipeline: PipelineName, profile: Profile, app: GitHubApp, policyDigest: string): AskedProfile {
    const name = canonicalProfile(pipeline, profile, undefined);
    const known = this.#asked.get(name);
    if (known?.isFor(profile, app, policyDigest) === true) return known;
    const { organizationSlug, pipelineSlug, pipelineId } = pipeline;
    const identity = { organizationSlug, pipelineSlug, pipelineId };
    const asked = new AskedProfile({ identity, profile, app, policyDigest, callerScope: undefined });
    this.#asked.made(name, asked);
    return asked;
  }
}

/**
 * A profile, the pipeline whose own it is, and the one repository that the caller chose, where it chooses: with what follows from them. Nothing
 * in it is a decision, and nothing of one job.
 */
export class AskedProfile implements ResolvedFacts {
  /** Of an organization's profile, whichever asked first: only the organization counts. */
  readonly identity: PipelineName;
  readonly profile: Profile;
  readonly app: GitHubApp;
  readonly policyDigest: string;
  readonly callerScope: string | undefined;
  readonly #memo = new RequestMemo();
  #part: AuditPart<AuditToken> | undefined;
  #scoped: AskedProfile | undefined;

  constructor({ identity, profile, app, policyDigest, callerScope }: ResolvedFacts) {
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

  scopedTo(callerScope: string): AskedProfile {
    if (this.#scoped?.callerScope === callerScope) return this.#scoped;
    const { identity, profile, app, policyDigest } = this;
    this.#scoped = new AskedProfile({ identity, profile, app, policyDigest, callerScope });
    return this.#scoped;
  }

  /** To be authorized each time. `identity` must be of this pipeline, and the target's caller scope this one's. */
  requestFor(identity: BuildkiteIdentity, target: VendingTarget): AuthorizationRequest {
    const { policyDigest, profile, app } = this;
    return { identity, policyDigest, profile, app, target, memo: this.#memo };
  }
}
