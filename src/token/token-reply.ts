import { formatEpochSeconds } from "../lib/rfc3339.ts";
import type { TokenDescription, TokenRepositories } from "./token-description.ts";
import type { VendedToken } from "./vended-token.ts";

/**
 * The JSON of `POST /token`, which is also the cache entry of every instance: fields and their order are the contract.
 * `disclose` adds the App's ids, which a cache entry always has and a reply only in development.
 */
export function renderTokenReply(
  description: TokenDescription,
  repositories: TokenRepositories,
  token: VendedToken,
  disclose: boolean,
): string {
  const { app } = description;
  return JSON.stringify({
    organizationSlug: description.organizationSlug,
    profile: description.profile,
    repositoryUrl: token.repositoryUrl,
    repositories: repositories.kind === "all" ? { wildcard: true } : { names: repositories.names },
    permissions: description.permissions,
    app: app.name,
    ...(disclose ? { appId: app.appId, installationId: app.installationId } : {}),
    token: token.token,
    hashedToken: token.tokenSha256Base64,
    expiry: formatEpochSeconds(token.expiresAtEpochSeconds),
  });
}
