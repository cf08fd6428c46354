import type { Grant, RepositorySelection, TokenRequest } from "../github/installation-tokens.ts";
import { isSameName } from "../github/repository-name.ts";
import { findWiderPermission } from "../permissions/no-wider.ts";

/** Installation tokens live one hour; the rest is for clocks that differ. */
const LONGEST_LIFE_SECONDS = 65 * 60;

/**
 * The first thing in GitHub's reply that goes beyond what was asked, in words for the audit entry; undefined when it is within.
 *
 * Trust model: GitHub is trusted to hold what it says it granted, not to have understood us. A token that is wider than the policy
 * says must reach neither a cache nor a caller.
 */
export function findExcess(
  asked: TokenRequest,
  owner: string | undefined,
  grant: Grant,
  nowMs: number,
): string | undefined {
  const permission = findWiderPermission(grant.permissions, asked.permissions);
  if (permission !== undefined) return `granted permission ${permission}, which was not asked for`;
  const lifeSeconds = grant.expiresAtEpochSeconds - nowMs / 1000;
  if (!(lifeSeconds > 0 && lifeSeconds <= LONGEST_LIFE_SECONDS))
    return "granted an expiry that is not within the next 65 minutes";
  return findForeignRepository(asked.repositories, owner, grant);
}

function findForeignRepository(
  asked: RepositorySelection,
  owner: string | undefined,
  grant: Grant,
): string | undefined {
  if (asked.kind === "all") return undefined;
  if (grant.selection !== "selected") return "granted all repositories where some were asked for";
  for (const repository of grant.repositories ?? []) {
    if (!asked.names.some((name) => isSameName(name, repository.name)))
      return "granted a repository that was not asked for";
    if (owner !== undefined && !isSameName(owner, repository.owner)) return "granted a repository of another owner";
  }
  return undefined;
}
