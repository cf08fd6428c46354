import { PERMISSION_TABLE } from "./table.generated.ts";

/** From narrow to wide: each action covers those before it. */
const ACTIONS = ["read", "write", "admin"] as const;

export type PermissionAction = (typeof ACTIONS)[number];

/** A field of GitHub's App permissions and an action that GitHub accepts for it. */
export interface Permission {
  readonly field: string;
  readonly action: PermissionAction;
}

export type PermissionFault =
  | { readonly kind: "malformed" }
  | { readonly kind: "unknown-field"; readonly field: string }
  | { readonly kind: "unsupported-action"; readonly field: string; readonly accepted: readonly PermissionAction[] };

export type ParsedPermission =
  | { readonly kind: "permission"; readonly permission: Permission }
  | { readonly kind: "fault"; readonly fault: PermissionFault };

const ACTIONS_BY_FIELD: ReadonlyMap<string, readonly PermissionAction[]> = new Map(Object.entries(PERMISSION_TABLE));

/** Every `field:action` that there is. */
export function listPermissions(): readonly string[] {
  return Array.from(ACTIONS_BY_FIELD, ([field, actions]) => actions.map((action) => `${field}:${action}`)).flat();
}

/** Reads `field:action` literally: no other case, no white space. Never throws. */
export function parsePermission(text: string): ParsedPermission {
  const [field = "", action = "", ...rest] = text.split(":");
  if (field === "" || action === "" || rest.length > 0) return { kind: "fault", fault: { kind: "malformed" } };
  const accepted = ACTIONS_BY_FIELD.get(field);
  if (accepted === undefined) return { kind: "fault", fault: { kind: "unknown-field", field } };
  const known = accepted.find((one) => one === action);
  if (known === undefined) return { kind: "fault", fault: { kind: "unsupported-action", field, accepted } };
  return { kind: "permission", permission: { field, action: known } };
}

/**
 * Whether `held` allows all that `asked` does: write covers read, admin covers write.
 * An action that is none of the three covers nothing and is covered by nothing.
 */
export function covers(held: string, asked: string): boolean {
  const heldRank = rankOf(held);
  const askedRank = rankOf(asked);
  return heldRank >= 0 && askedRank >= 0 && heldRank >= askedRank;
}

function rankOf(action: string): number {
  return ACTIONS.findIndex((one) => one === action);
}
