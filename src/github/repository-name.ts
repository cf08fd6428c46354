/**
 * GitHub's grammar for a repository name: 1 to 100 of `[A-Za-z0-9._-]`, not `.` or `..`, not ending in `.git`.
 * Does not ask whether the repository exists.
 */
export function isRepositoryName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,100}$/.test(text) && text !== "." && text !== ".." && !/\.git$/i.test(text);
}

/** GitHub's grammar for an account's login, generous about historic ones with trailing or double hyphens and enterprise underscores. */
export function isOwnerName(text: string): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$/.test(text);
}

/** GitHub takes every spelling of ASCII case for one repository or account. */
export function isSameName(a: string, b: string): boolean {
  return a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase());
}
