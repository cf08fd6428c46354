/** Fields of an organization or an enterprise that their names do not show. */
const OTHERS: ReadonlySet<string> = new Set(["members", "custom_properties_for_organizations"]);

/**
 * Whether a permission is one on the organization (or the enterprise) and not on repositories: a list of repositories does not narrow it.
 *
 * Source: docs.github.com/en/rest/authentication/permissions-required-for-github-apps, "Organization permissions".
 */
export function isOrganizationPermission(field: string): boolean {
  return field.startsWith("organization_") || field.startsWith("enterprise_") || OTHERS.has(field);
}
