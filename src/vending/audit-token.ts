import type { AuditHandover, AuditToken } from "../audit/entry.ts";
import type { GitHubApp } from "../github/app.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import type { OrganizationProfile, PipelineProfile } from "../profiles/policy.ts";
import type { TokenRepositories } from "../token/token-description.ts";
import type { VendedToken } from "../token/vended-token.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { callerScopeOf, canonicalProfile, type PipelineName } from "./canonical-profile.ts";
import { repositoriesOf } from "./describe-token.ts";

export interface ResolvedFacts {
  readonly identity: PipelineName;
  readonly profile: PipelineProfile | OrganizationProfile;
  readonly callerScope: string | undefined;
  readonly app: GitHubApp;
  readonly policyDigest: string;
}

export interface VendedFacts {
  readonly token: VendedToken;
  readonly source: "memory" | "valkey" | "github";
  readonly repositories: TokenRepositories;
  readonly permissions: readonly string[];
}

/** What evidence shows of a token from the moment its profile resolves. */
export function resolvedFields({ identity, profile, callerScope, app, policyDigest }: ResolvedFacts): AuditToken {
  return {
    requestedProfile: canonicalProfile(identity, profile, callerScope),
    app: app.name,
    applicationID: app.appId,
    installationID: app.installationId,
    profileDigest: policyDigest,
  };
}

/** What evidence shows of a token that is there, by its hash, never itself: for as long as the token lives. */
export function vendedFields({ token, repositories, permissions }: Omit<VendedFacts, "source">): AuditToken {
  return {
    ...(token.repositoryUrl === "" ? {} : { vendedRepository: token.repositoryUrl }),
    repositories: repositories.kind === "all" ? ["{{all-repositories}}"] : repositories.names,
    permissions,
    hashedToken: token.tokenSha256Base64,
    expiry: formatEpochSeconds(token.expiresAtEpochSeconds),
  };
}

/** What evidence shows of a token at the moment when it is handed out. */
export function handedFields({ token, source }: Pick<VendedFacts, "token" | "source">, nowMs: number): AuditHandover {
  return { expiryRemaining: Math.floor(token.expiresAtEpochSeconds - nowMs / 1000), source };
}

/** The whole of what a `mint_event` shows: a token that was made in the background, for a request that was authorized before. */
export function mintedFields(request: AuthorizedRequest, token: VendedToken, nowMs: number): AuditToken {
  const repositories = repositoriesOf(request, token);
  const permissions = request.profile.permissions.names;
  return {
    ...resolvedFields({ ...request, callerScope: callerScopeOf(request.target) }),
    ...vendedFields({ token, repositories, permissions }),
    ...handedFields({ token, source: "github" }, nowMs),
  };
}
