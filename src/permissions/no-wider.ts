import { covers } from "./permission.ts";

/**
 * The first `field:action` in `granted` that `asked` does not cover, or undefined. Write covers read and admin both; a field that was
 * not asked for, and an action nobody knows, is wider. `metadata:read` comes with every token.
 */
export function findWiderPermission(
  granted: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, string>>,
): string | undefined {
  for (const [field, action] of Object.entries(granted)) {
    if (field === "metadata" && action === "read") continue;
    const held = Object.hasOwn(asked, field) ? asked[field] : undefined;
    if (held === undefined || !covers(held, action)) return `${field}:${action}`;
  }
  return undefined;
}
