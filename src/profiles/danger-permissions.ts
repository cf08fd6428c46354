import type { HeldPermissions } from "../permissions/held-permissions.ts";
import { findWiderPermission } from "../permissions/no-wider.ts";
import { isOrganizationPermission } from "../permissions/organization-permission.ts";
import type { Danger, InspectedProfile } from "./danger.ts";

/** What is dangerous about what a profile asks for, whoever may use it. */
export function findPermissionDangers(
  inspected: InspectedProfile,
  held: HeldPermissions | undefined,
): readonly Danger[] {
  return [...findOrganizationPermissions(inspected), ...(held === undefined ? [] : findNotHeld(inspected, held))];
}

function findOrganizationPermissions({ permissions }: InspectedProfile): readonly Danger[] {
  return permissions.value.flatMap(({ value, at }): readonly Danger[] => {
    const [field = ""] = value.split(":");
    if (!isOrganizationPermission(field)) return [];
    const message = `${value} reaches the whole organization, whatever repositories the token is for`;
    return [{ code: "organization-permission", at, message }];
  });
}

/** GitHub answers 422 when a token is to have what the installation does not hold. */
function findNotHeld({ profile, permissions, source }: InspectedProfile, held: HeldPermissions): readonly Danger[] {
  const app = JSON.stringify(profile.appName);
  const has = held.get(profile.appName);
  if (has === undefined) {
    const message = `the permissions file does not say what the App ${app} holds`;
    return [{ code: "permission-not-held", at: source.app?.at ?? permissions.at, message }];
  }
  return permissions.value.flatMap(({ value, at }): readonly Danger[] => {
    const [field = "", action = ""] = value.split(":");
    if (findWiderPermission({ [field]: action }, has) === undefined) return [];
    const holds = Object.hasOwn(has, field) ? `${field}:${has[field]}` : `nothing of ${field}`;
    return [{ code: "permission-not-held", at, message: `the App ${app} holds ${holds}, and ${value} is asked for` }];
  });
}
