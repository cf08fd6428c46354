import { isRepositoryName } from "../github/repository-name.ts";

export type RepositoryScope =
  | { readonly kind: "repository"; readonly name: string }
  /** `cause` is for the audit entry; it does not repeat the value. */
  | { readonly kind: "invalid"; readonly cause: string };

/**
 * Reads the value of `repository-scope`, which is never trimmed and must be one repository's name: the literals of the
 * profile file mean nothing here. Never throws.
 */
export function parseRepositoryScope(value: string): RepositoryScope {
  if (value.trim() === "") return { kind: "invalid", cause: "repository scope is empty" };
  if (!isRepositoryName(value)) return { kind: "invalid", cause: "repository scope is not a repository name" };
  return { kind: "repository", name: value };
}
