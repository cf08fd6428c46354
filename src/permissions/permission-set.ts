/** A validated list of GitHub App permissions, never empty, `metadata:read` always in it. */
export interface PermissionSet {
  /** `field:action` in the order of the profile, `metadata:read` last when it was added. */
  readonly names: readonly string[];
  /** The same as GitHub's API takes it. */
  readonly request: Readonly<Record<string, string>>;
}
