import type { GitHubApp } from "../../../src/github/app.ts";
import { AskedProfiles } from "../../../src/http/asked-profile.ts";
import { Caller } from "../../../src/http/caller.ts";
import { KnownTokens } from "../../../src/http/known-tokens.ts";
import { createRequestHandler, type RequestHandler } from "../../../src/http/request-handler.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import type { BuildkiteIdentity } from "../../../src/oidc/buildkite-identity.ts";
import type { PolicyGeneration } from "../../../src/profiles/policy.ts";
import type { Vend } from "../../../src/vending/vend.ts";
import { PLAIN_HTTP, SILENT_AUDIT } from "../../support/plain-http.ts";
import { OWNER } from "./outside.ts";

export const WEB = PLAIN_HTTP.gitHubWebUrl;
export const ACCOUNT = { id: 1, login: OWNER, type: "Organization" };

const APP: GitHubApp = {
  name: "default",
  appId: 111,
  installationId: 222,
  signer: { sign: () => Promise.reject(new Error("nothing is signed here")) },
};

export interface HandlerParts {
  readonly vend: Vend;
  readonly policy: () => PolicyGeneration;
  readonly clock: Clock;
  readonly onUnexpected: (error: unknown) => void;
}

/** The request pipeline for callers who are believed: a bearer token is the slug of the pipeline that asks. */
export function createHandler({ vend, policy, clock, onUnexpected }: HandlerParts): RequestHandler {
  const profiles = new AskedProfiles();
  const callers = new Map<string, Caller>();
  const callerOf = (pipeline: string): Caller => {
    const caller = callers.get(pipeline) ?? new Caller(identityOf(pipeline), profiles);
    callers.set(pipeline, caller);
    return caller;
  };
  return createRequestHandler({
    verifier: { verify: (pipeline) => ({ kind: "authenticated", caller: callerOf(pipeline) }) },
    policy: () => ({ kind: "generation", generation: policy() }),
    apps: { find: () => APP, account: () => ACCOUNT },
    vend,
    audit: SILENT_AUDIT,
    knownTokens: new KnownTokens(),
    clock,
    newRequestId: () => "id",
    onUnexpected,
    settings: PLAIN_HTTP,
  });
}

/** The key of a pipeline's own tokens, said a second time. */
export function keyOf(digest: string, slug: string): string {
  const { appId, installationId } = APP;
  return `${digest}:${appId}:${installationId}:profile://organization/acme/pipeline/id-of-${slug}/${slug}/profile/default`;
}

function identityOf(slug: string): BuildkiteIdentity {
  return {
    issuer: "https://agent.buildkite.com",
    subject: "s",
    audience: ["a"],
    expiresAtEpochSeconds: 0,
    organizationSlug: "acme",
    pipelineSlug: slug,
    pipelineId: `id-of-${slug}`,
    buildNumber: 1,
    buildBranch: "main",
    jobId: "j",
    claims: new Map([["pipeline_slug", slug]]),
  };
}
