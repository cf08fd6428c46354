import { covers, type Permission } from "./permission.ts";

/** A validated list of GitHub App permissions, never empty, `metadata:read` always in it. */
export interface PermissionSet {
  /** `field:action` in the order of the profile, `metadata:read` last when it was added. One entry a field. */
  readonly names: readonly string[];
  /** The same as GitHub's API takes it. */
  readonly request: Readonly<Record<string, string>>;
}

/**
 * The set of these permissions, with `metadata:read` behind them when `metadata` is not among them.
 *
 * A field that is named twice stands where it stood first, with the wider of its actions: GitHub takes one action a field.
 */
export function createPermissionSet(permissions: readonly Permission[]): PermissionSet {
  const actions = new Map<string, string>();
  for (const { field, action } of permissions) {
    const held = actions.get(field);
    if (held === undefined || !covers(held, action)) actions.set(field, action);
  }
  if (!actions.has("metadata")) actions.set("metadata", "read");
  return {
    names: Array.from(actions, ([field, action]) => `${field}:${action}`),
    request: Object.freeze(Object.fromEntries(actions)),
  };
}

/** Whether anything in the set allows a change. */
export function canWrite(permissions: PermissionSet): boolean {
  return Object.values(permissions.request).some((action) => action !== "read");
}
