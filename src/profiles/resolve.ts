import {
  DEFAULT_APP,
  type OrganizationProfile,
  type PipelineProfile,
  type PolicyGeneration,
  type UnavailableProfile,
} from "./policy.ts";
import { DEFAULT_PROFILE, type ProfileReference } from "./reference.ts";

/**
 * Whether an App of this name is configured and in use at this moment. Asked on every request, before any cache is read:
 * an App goes out of use, and comes back, without a new policy. Never asked about the default App.
 */
export type IsAppUsable = (appName: string) => boolean;

export type Resolution<Profile> =
  | { readonly kind: "found"; readonly profile: Profile }
  | { readonly kind: "not-found" }
  /** `message` is for the audit entry: `profile "P" unavailable: CAUSE`, with every reason. */
  | { readonly kind: "unavailable"; readonly message: string; readonly reasons: readonly string[] };

/** The profile that a reference names, in its own section alone. */
export function resolveProfile(
  generation: PolicyGeneration,
  { kind, name }: ProfileReference,
  isAppUsable: IsAppUsable,
): Resolution<PipelineProfile | OrganizationProfile> {
  return kind === "pipeline"
    ? resolvePipelineProfile(generation, name, isAppUsable)
    : resolveOrganizationProfile(generation, name, isAppUsable);
}

/** The pipeline profile of that name; `default` is always found. */
export function resolvePipelineProfile(
  generation: PolicyGeneration,
  name: string,
  isAppUsable: IsAppUsable,
): Resolution<PipelineProfile> {
  const named = generation.pipelineProfiles.get(name);
  return judge(name === DEFAULT_PROFILE ? generation.defaultPipelineProfile : named, isAppUsable);
}

export function resolveOrganizationProfile(
  generation: PolicyGeneration,
  name: string,
  isAppUsable: IsAppUsable,
): Resolution<OrganizationProfile> {
  return judge(generation.organizationProfiles.get(name), isAppUsable);
}

/** Why a profile of an App that is unknown or out of use may not be used; it never falls back to another App. */
export function unusableAppCause(appName: string): string {
  return `app ${JSON.stringify(appName)} is not a configured, enabled application`;
}

function judge<Profile extends PipelineProfile | OrganizationProfile>(
  profile: Profile | UnavailableProfile | undefined,
  isAppUsable: IsAppUsable,
): Resolution<Profile> {
  if (profile === undefined) return { kind: "not-found" };
  if (profile.kind === "unavailable") return unavailable(profile.name, profile.reasons);
  const { appName } = profile;
  if (appName === DEFAULT_APP || isAppUsable(appName)) return { kind: "found", profile };
  return unavailable(profile.name, [unusableAppCause(appName)]);
}

function unavailable(name: string, reasons: readonly string[]): Extract<Resolution<never>, { kind: "unavailable" }> {
  return {
    kind: "unavailable",
    message: `profile ${JSON.stringify(name)} unavailable: ${reasons.join("; ")}`,
    reasons,
  };
}
