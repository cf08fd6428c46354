import * as fc from "fast-check";
import type { GitHubApp } from "../../src/github/app.ts";
import type { RepositorySelection } from "../../src/github/installation-tokens.ts";
import type { BuildkiteIdentity } from "../../src/oidc/buildkite-identity.ts";
import { createPermissionSet } from "../../src/permissions/permission-set.ts";
import { parsePermission } from "../../src/permissions/permission.ts";
import type { MatchRules } from "../../src/profiles/policy.ts";
import { authorize, type AuthorizedRequest, type VendingTarget } from "../../src/vending/authorize.ts";

export const WEB = new URL("https://github.com");
const everyone: MatchRules = { rules: [], evaluate: () => ({ kind: "matched", matches: [] }) };

/** From few values, so that requests often agree in all but one thing; the odd ones look like pieces of keys. */
const digest = fc.constantFrom("default-profile:v1", "a".repeat(64), `${"a".repeat(63)}b`);
const id = fc.constantFrom(1, 11, 111, 222);
const slug = fc.oneof(fc.constantFrom("acme", "widget", "profile", "a:1:2", "pipeline"), words(/[a-z0-9:.-]/));
const profileName = fc.oneof(
  fc.constantFrom("default", "Deploy", "deploy", "claim", "enc", "a b"),
  words(/[A-Za-z#?. -]/),
);
const repository = fc.constantFrom("widget", "Widget", "gadget", "profile", "claim", "a.b");
const permissions = fc
  .subarray(["contents:read", "contents:write", "issues:write"], { minLength: 1 })
  .map((names) => createPermissionSet(names.map(readPermission)));

function words(characters: RegExp): fc.Arbitrary<string> {
  const letters = Array.from({ length: 95 }, (_none, index) => String.fromCharCode(32 + index));
  const unit = fc.constantFrom(...letters.filter((letter) => characters.test(letter)));
  return fc.string({ unit, minLength: 1, maxLength: 4 }).filter((word) => word !== "." && word !== "..");
}

function readPermission(name: string) {
  const parsed = parsePermission(name);
  if (parsed.kind !== "permission") throw new Error(name);
  return parsed.permission;
}

const names = fc
  .uniqueArray(repository, { minLength: 1, maxLength: 3, selector: (name) => name.toLowerCase() })
  .map(([first = "widget", ...rest]): RepositorySelection => ({ kind: "names", names: [first, ...rest] }));
const all = fc.constant<RepositorySelection>({ kind: "all" });

const organizationTarget: fc.Arbitrary<VendingTarget> = fc.oneof(
  fc.oneof(names, all).map((repositories) => ({ kind: "organization", repositories }) as const),
  repository.map(
    (callerScope) =>
      ({ kind: "organization", repositories: { kind: "names", names: [callerScope] }, callerScope }) as const,
  ),
);

/** Requests as the pipeline makes them, from every grammar that lower folders allow. */
export const authorizedRequest: fc.Arbitrary<AuthorizedRequest> = fc
  .record({
    digest,
    appId: id,
    installationId: id,
    organizationSlug: slug,
    pipelineSlug: slug,
    pipelineId: slug,
    name: profileName,
    permissions,
    target: fc.oneof(fc.constant<VendingTarget>({ kind: "pipeline" }), organizationTarget),
  })
  .map((made) => authorizedAs(made));

interface Made {
  readonly digest: string;
  readonly appId: number;
  readonly installationId: number;
  readonly organizationSlug: string;
  readonly pipelineSlug: string;
  readonly pipelineId: string;
  readonly name: string;
  readonly permissions: AuthorizedRequest["profile"]["permissions"];
  readonly target: VendingTarget;
}

function authorizedAs({ digest: policyDigest, appId, installationId, name, target, ...rest }: Made): AuthorizedRequest {
  const { organizationSlug, pipelineSlug, pipelineId } = rest;
  const identity: BuildkiteIdentity = {
    issuer: "https://agent.buildkite.com",
    subject: "s",
    audience: ["a"],
    expiresAtEpochSeconds: 0,
    organizationSlug,
    pipelineSlug,
    pipelineId,
    buildNumber: 1,
    buildBranch: "main",
    jobId: "j",
    claims: new Map(),
  };
  const app: GitHubApp = {
    name: "default",
    appId,
    installationId,
    signer: { sign: () => Promise.reject(new Error("nothing is signed here")) },
  };
  const common = { name, appName: "default", permissions: rest.permissions, rules: everyone };
  const profile =
    target.kind === "pipeline"
      ? ({ ...common, kind: "pipeline" } as const)
      : ({ ...common, kind: "organization", reach: reachOf(target) } as const);
  const authorization = authorize({ identity, policyDigest, profile, app, target }, undefined);
  if (authorization.kind !== "authorized") throw new Error(authorization.kind);
  return authorization.request;
}

function reachOf({ callerScope, repositories }: Extract<VendingTarget, { kind: "organization" }>) {
  return callerScope === undefined ? repositories : ({ kind: "caller-scoped" } as const);
}
