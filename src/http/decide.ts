import { describeCauses } from "../lib/bridge-error.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { TokenDescription, TokenRepositories } from "../token/token-description.ts";
import type { VendedToken } from "../token/vended-token.ts";
import { authorize, type AuthorizedRequest } from "../vending/authorize.ts";
import { callerScopeOf, canonicalProfile, shortProfile } from "../vending/canonical-profile.ts";
import type { VendOutcome } from "../vending/vend.ts";
import type { AuditScope } from "./audit-scope.ts";
import { authenticate } from "./authenticate.ts";
import type { Refusal } from "./error-response.ts";
import type { Services } from "./services.ts";

/** What a token request comes to, before it is written in a format. */
export type Decision =
  | {
      readonly kind: "token";
      readonly description: TokenDescription;
      readonly repositories: TokenRepositories;
      readonly token: VendedToken;
    }
  /** Nothing is vended for this repository: 204 on token routes. */
  | { readonly kind: "nothing" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Decides one token request in the order of the contract: who, which profile, may they, then the token. Never throws. */
export async function decide(request: Request, services: Services, scope: AuditScope): Promise<Decision> {
  try {
    const verdict = authenticate(request.headers.get("authorization"), services.verifier);
    const authenticated = verdict instanceof Promise ? await verdict : verdict;
    if (authenticated.kind === "refused") return refuse(authenticated.refusal, scope);
    scope.authenticated(authenticated.identity);
    return await vendDefault(authenticated.identity, services, scope);
  } catch (error) {
    return refuse(refusalFor(error, services), scope);
  }
}

async function vendDefault(identity: BuildkiteIdentity, services: Services, scope: AuditScope): Promise<Decision> {
  const generation = services.policy();
  const profile = generation.defaultPipelineProfile;
  const app = services.defaultApp;
  scope.token({
    requestedProfile: canonicalProfile(identity, profile, undefined),
    app: app.name,
    applicationID: app.appId,
    installationID: app.installationId,
    profileDigest: generation.digest,
  });
  const verdict = authorize({ identity, policyDigest: generation.digest, profile, app, target: { kind: "pipeline" } });
  if (verdict.kind === "refused") {
    scope.token({ attemptedPatterns: verdict.attempted });
    return refuse({ code: "forbidden", cause: "the profile's match rules do not hold" }, scope);
  }
  if (verdict.kind === "invalid-claim") {
    return refuse({ code: "forbidden", cause: `claim ${verdict.claim} has a value that no rule may read` }, scope);
  }
  scope.token({ matches: verdict.matches });
  const vended = services.vend(verdict.request);
  return conclude(verdict.request, vended instanceof Promise ? await vended : vended, services, scope);
}

function conclude(request: AuthorizedRequest, outcome: VendOutcome, services: Services, scope: AuditScope): Decision {
  switch (outcome.kind) {
    case "vended":
      return concludeVended(request, outcome, services, scope);
    case "foreign-host":
      scope.error("the pipeline's repository is not on the configured GitHub host");
      return { kind: "nothing" };
    case "foreign-owner":
    case "denied":
      return refuse({ code: "forbidden", cause: outcome.cause }, scope);
  }
}

function concludeVended(
  request: AuthorizedRequest,
  { token, source }: Extract<VendOutcome, { kind: "vended" }>,
  { clock }: Services,
  scope: AuditScope,
): Decision {
  const repositories = repositoriesOf(request, token);
  const { permissions } = request.profile;
  const callerScope = callerScopeOf(request.target);
  scope.token({
    ...(token.repositoryUrl === "" ? {} : { vendedRepository: token.repositoryUrl }),
    repositories: repositories.kind === "all" ? ["{{all-repositories}}"] : repositories.names,
    permissions: permissions.names,
    hashedToken: token.tokenSha256Base64,
    expiry: formatEpochSeconds(token.expiresAtEpochSeconds),
    expiryRemaining: Math.floor(token.expiresAtEpochSeconds - clock.nowMs() / 1000),
    source,
  });
  return {
    kind: "token",
    description: {
      organizationSlug: request.identity.organizationSlug,
      profile: shortProfile(request.profile, callerScope),
      permissions: permissions.names,
      app: request.app,
    },
    repositories,
    token,
  };
}

/** A pipeline's repository is the one the token was made for. */
function repositoriesOf({ target }: AuthorizedRequest, { repositoryUrl }: VendedToken): TokenRepositories {
  if (target.kind === "organization") return target.repositories;
  const name = repositoryUrl.slice(repositoryUrl.lastIndexOf("/") + 1);
  return { kind: "names", names: [name.endsWith(".git") ? name.slice(0, -4) : name] };
}

function refuse(refusal: Refusal, scope: AuditScope): Decision {
  scope.error(refusal.cause);
  return { kind: "refused", refusal };
}

function refusalFor(error: unknown, { onUnexpected }: Services): Refusal {
  const cause = describeCauses(error);
  if (error instanceof UpstreamFault && error.code === "upstream-unavailable") {
    const { retryAfterSeconds } = error.details;
    return { code: "unavailable", cause, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  }
  onUnexpected(error);
  return { code: "internal", cause };
}
