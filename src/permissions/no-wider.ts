const STRENGTH: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 };

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
    const allowed = Object.hasOwn(asked, field) ? STRENGTH[asked[field] ?? ""] : undefined;
    const actual = STRENGTH[action];
    if (allowed === undefined || actual === undefined || actual > allowed) return `${field}:${action}`;
  }
  return undefined;
}
