import type { ProfileEntry } from "./document.ts";
import type { DangerCode, Located, Position } from "./finding.ts";
import type { OrganizationProfile, PipelineProfile } from "./policy.ts";

/** A profile that may be used, with where its parts are written. */
export interface InspectedProfile {
  readonly profile: PipelineProfile | OrganizationProfile;
  readonly source: ProfileEntry;
  readonly permissions: Located<readonly Located<string>[]>;
}

export interface Danger {
  readonly code: DangerCode;
  readonly at: Position;
  readonly message: string;
}
