import {
  DEFAULT_APP,
  type OrganizationProfile,
  type PipelineProfile,
  type PolicyGeneration,
  type UnavailableProfile,
} from "./policy.ts";
import { DEFAULT_PROFILE } from "./reference.ts";

/**
 * Whether an App of this name is configured and in use at this moment. Asked on every request, before any cache is read:
 * an App goes out of use, and comes back, without a new policy. Never asked about the default App.
 */
export type IsAppUsable = (appName: string) => boolean;

export type Resolution<Profile> =
  | { readonly kind: "found"; readonly profile: Profile }
  | { readonly kind: "not-found" }
  /** `message` is for the audit entry: `profile "P" unavailable: CAUSE`. */
  | { readonly kind: "unavailable"; readonly message: string };

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
  if (profile.kind === "unavailable") return unavailable(profile.name, profile.reasons.join("; "));
  const { appName } = profile;
  if (appName === DEFAULT_APP || isAppUsable(appName)) return { kind: "found", profile };
  return unavailable(profile.name, unusableAppCause(appName));
}

function unavailable(name: string, cause: string): { readonly kind: "unavailable"; readonly message: string } {
  return { kind: "unavailable", message: `profile ${JSON.stringify(name)} unavailable: ${cause}` };
}
