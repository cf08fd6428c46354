import { parsePermission, type Permission, type PermissionFault } from "../permissions/permission.ts";
import { createPermissionSet, type PermissionSet } from "../permissions/permission-set.ts";
import { type Located, type Position, quoted } from "./finding.ts";
import type { ProblemSink } from "./problem-sink.ts";

type PermissionList = Located<readonly Located<string>[]>;

/** The permissions of a profile; undefined after reporting why there are none. `owner` is where a missing list is reported. */
export function compilePermissions(
  list: PermissionList | undefined,
  owner: Position,
  problems: ProblemSink,
): PermissionSet | undefined {
  if (list === undefined || list.value.length === 0) {
    problems.error(
      "empty-permissions",
      list?.at ?? owner,
      "permissions is empty; name at least one, like contents:read",
    );
    return undefined;
  }
  const permissions: Permission[] = [];
  for (const { value, at } of list.value) {
    const parsed = parsePermission(value);
    if (parsed.kind === "fault") {
      problems.error(CODES[parsed.fault.kind], at, `permission ${quoted(value)} ${explain(parsed.fault)}`);
      continue;
    }
    const { permission } = parsed;
    if (permissions.some(({ field }) => field === permission.field)) {
      problems.warn("repeated-permission", at, `${permission.field} is named twice; the wider action counts`);
    }
    permissions.push(permission);
  }
  return permissions.length === list.value.length ? createPermissionSet(permissions) : undefined;
}

const CODES = {
  malformed: "malformed-permission",
  "unknown-field": "unknown-permission",
  "unsupported-action": "unsupported-action",
} as const;

function explain(fault: PermissionFault): string {
  if (fault.kind === "malformed") return "must be field:action";
  if (fault.kind === "unknown-field") return "names no permission of a GitHub App";
  return `has an action that GitHub does not accept there; it accepts ${fault.accepted.join(", ")}`;
}
