import type { GitHubApp } from "../github/app.ts";
import { DEFAULT_PROFILE, parseReference, type ProfileReference } from "../profiles/reference.ts";
import type { OrganizationProfile, PipelineProfile, PolicyGeneration } from "../profiles/policy.ts";
import { resolveProfile } from "../profiles/resolve.ts";
import type { Refusal } from "./error-response.ts";
import { percentDecode } from "./request-target.ts";
import type { TokenRoute } from "./routes.ts";
import type { AppDirectory } from "./services.ts";

export type Reference =
  | { readonly kind: "reference"; readonly reference: ProfileReference }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Reads the `{profile}` of a path: percent-decoded once, `default` on a bare route. */
export function readReference(rawProfile: string | undefined, { profileKind }: TokenRoute): Reference {
  if (rawProfile === undefined) {
    return { kind: "reference", reference: { kind: profileKind, name: DEFAULT_PROFILE } };
  }
  const decoded = percentDecode(rawProfile);
  if (decoded === undefined) return malformed("bad percent-encoding in the path");
  const parsed = parseReference(decoded, profileKind);
  return parsed.kind === "reference" ? parsed : malformed(parsed.cause);
}

export type Selection =
  | { readonly kind: "selected"; readonly profile: PipelineProfile | OrganizationProfile; readonly app: GitHubApp }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** The profile and its App, in the generation that this request has read. A profile never falls back to another App. */
export function selectProfile(
  generation: PolicyGeneration,
  reference: ProfileReference,
  apps: AppDirectory,
): Selection {
  const isAppUsable = (appName: string): boolean => apps.find(appName) !== undefined;
  const { name } = reference;
  const resolution = resolveProfile(generation, reference, isAppUsable);
  switch (resolution.kind) {
    case "not-found":
      return {
        kind: "refused",
        refusal: { code: "profile-not-found", cause: `profile ${JSON.stringify(name)} not found` },
      };
    case "unavailable":
      return { kind: "refused", refusal: { code: "profile-unavailable", cause: resolution.message } };
    case "found": {
      const { profile } = resolution;
      const app = apps.find(profile.appName);
      if (app === undefined)
        throw new TypeError(`the App of profile ${JSON.stringify(name)} is gone while it is looked up`);
      return { kind: "selected", profile, app };
    }
  }
}

function malformed(cause: string): Reference {
  return { kind: "refused", refusal: { code: "bad-request", cause } };
}
