import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { OrganizationProfile, PipelineProfile } from "../profiles/policy.ts";
import type { VendingTarget } from "./authorize.ts";

/** What names a pipeline. */
export type PipelineName = Pick<BuildkiteIdentity, "organizationSlug" | "pipelineSlug" | "pipelineId">;

/**
 * The canonical name of what is asked for, as audit entries show it and cache keys contain it. Every part is of a grammar without
 * `/`, so different requests cannot share a name.
 */
export function canonicalProfile(
  identity: PipelineName,
  profile: PipelineProfile | OrganizationProfile,
  callerScope: string | undefined,
): string {
  const organization = `profile://organization/${identity.organizationSlug}`;
  return profile.kind === "pipeline"
    ? `${organization}/pipeline/${identity.pipelineId}/${identity.pipelineSlug}/profile/${profile.name}`
    : `${organization}/profile/${profile.name}${callerScope === undefined ? "" : `/repository/${callerScope}`}`;
}

/** The name in replies: `repo:NAME`, `org:NAME`, `org:NAME/REPOSITORY`. */
export function shortProfile(profile: PipelineProfile | OrganizationProfile, callerScope: string | undefined): string {
  if (profile.kind === "pipeline") return `repo:${profile.name}`;
  return `org:${profile.name}${callerScope === undefined ? "" : `/${callerScope}`}`;
}

/** The one repository that the caller chose, where the profile lets it choose. */
export function callerScopeOf(target: VendingTarget): string | undefined {
  return target.kind === "organization" ? target.callerScope : undefined;
}
