export type RepositoryScope =
  | { readonly kind: "repository"; readonly name: string }
  /** `cause` is for the audit entry; it does not repeat the value. */
  | { readonly kind: "invalid"; readonly cause: string };

const REPOSITORY_NAME = /^[A-Za-z0-9._-]{1,100}$/;

/**
 * Whether GitHub could have a repository of this name: 1 to 100 of `[A-Za-z0-9._-]`, neither `.` nor `..`, not ending in
 * `.git` in any case. The literals of the profile file are no names.
 */
export function isRepositoryName(name: string): boolean {
  return REPOSITORY_NAME.test(name) && name !== "." && name !== ".." && !name.toLowerCase().endsWith(".git");
}

/** Reads the value of `repository-scope`, which is never trimmed and must be one repository's name. Never throws. */
export function parseRepositoryScope(value: string): RepositoryScope {
  if (value.trim() === "") return { kind: "invalid", cause: "repository scope is empty" };
  if (!isRepositoryName(value)) return { kind: "invalid", cause: "repository scope is not a repository name" };
  return { kind: "repository", name: value };
}
