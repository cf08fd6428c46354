import { ruleHolds } from "../profiles/matcher.ts";
import type { ClaimRule, OrganizationProfile, PipelineProfile, PolicyGeneration } from "../profiles/policy.ts";
import type { ProfileReference } from "../profiles/reference.ts";
import { type IsAppUsable, resolveProfile } from "../profiles/resolve.ts";
import { judge, type VendingTarget } from "./authorize.ts";
import { chooseTarget, type Wish } from "./choose-target.ts";
import { coversName } from "./coverage.ts";
import type { ClaimValues } from "../oidc/claim-values.ts";

/** What the service would make of one profile for a caller, as far as it can be told without asking GitHub or Buildkite. */
export type Explanation =
  | { readonly outcome: "granted"; readonly request: ExplainedRequest }
  | { readonly outcome: "refused"; readonly failedRules: readonly FailedRule[]; readonly reasons: readonly string[] }
  | { readonly outcome: "unavailable"; readonly reasons: readonly string[] }
  /** No repository was named, and the profile needs one. The rules that would refuse it then are told already. */
  | { readonly outcome: "needs-scope"; readonly failedRules: readonly FailedRule[] }
  | { readonly outcome: "not-found" };

/** What GitHub would be asked for. */
export interface ExplainedRequest {
  readonly app: string;
  readonly permissions: Readonly<Record<string, string>>;
  /** Never empty. `{{all-repositories}}`: no list is sent. `{{pipeline-repository}}`: the one that Buildkite names for the pipeline. */
  readonly repositories: readonly string[];
}

export interface FailedRule {
  readonly rule: ClaimRule;
  /** Undefined when the claim is absent or empty. */
  readonly actual: string | undefined;
}

export interface ExplainedCaller {
  readonly generation: PolicyGeneration;
  readonly claims: ClaimValues;
  readonly isAppUsable: IsAppUsable;
  /** The repository that the caller asks for, or the pipeline's own; a valid name. */
  readonly repository?: string | undefined;
  readonly protectedRepository?: string | undefined;
}

/**
 * Decides by the code and in the order of the service: profile, scope, match rules, coverage. What only upstreams know is taken
 * to be well: that the repository exists, is GitHub's, and belongs to the account that the App is installed on.
 */
export function explainProfile(reference: ProfileReference, caller: ExplainedCaller): Explanation {
  const resolution = resolveProfile(caller.generation, reference, caller.isAppUsable);
  if (resolution.kind === "not-found") return { outcome: "not-found" };
  if (resolution.kind === "unavailable") return { outcome: "unavailable", reasons: resolution.reasons };
  const { profile } = resolution;
  const choice = chooseTarget(profile, wishOf(profile, caller.repository));
  if (choice.kind !== "target") return { outcome: "needs-scope", failedRules: findFailedRules(profile, caller) };
  return explainTarget(profile, choice.target, caller);
}

function explainTarget(
  profile: PipelineProfile | OrganizationProfile,
  target: VendingTarget,
  caller: ExplainedCaller,
): Explanation {
  const { claims, repository, protectedRepository } = caller;
  const judgement = judge({ claims, profile, target }, protectedRepository);
  switch (judgement.kind) {
    case "refused":
      return { outcome: "refused", failedRules: findFailedRules(profile, caller), reasons: [] };
    case "invalid-claim":
      return refused(`no rule may read the value of ${judgement.claim}: too long, white space or control characters`);
    case "protected":
      return refused("a caller-scoped profile may not write the repository that holds the policy");
    case "matched":
      break;
  }
  if (target.kind === "organization" && repository !== undefined && !coversName(target.repositories, repository)) {
    return refused(`the profile does not reach the repository ${repository}`);
  }
  const repositories = repositoriesOf(target, repository);
  return {
    outcome: "granted",
    request: { app: profile.appName, permissions: profile.permissions.request, repositories },
  };
}

/**
 * A repository is asked for as git does: that is legal for every kind of profile, and one that lets callers choose reads its path as
 * the scope. The owner stands for the App's account.
 */
function wishOf(profile: PipelineProfile | OrganizationProfile, repository: string | undefined): Wish {
  if (repository === undefined || profile.kind === "pipeline") return { kind: "token", scope: { kind: "absent" } };
  return { kind: "git", path: `owner/${repository}` };
}

function findFailedRules(
  { rules }: PipelineProfile | OrganizationProfile,
  { claims }: ExplainedCaller,
): readonly FailedRule[] {
  return rules.rules.flatMap((rule) => {
    const actual = claims.get(rule.claim) ?? "";
    return ruleHolds(rule, actual) ? [] : [{ rule, actual: actual === "" ? undefined : actual }];
  });
}

function repositoriesOf(target: VendingTarget, repository: string | undefined): readonly string[] {
  if (target.kind === "pipeline") return [repository ?? "{{pipeline-repository}}"];
  return target.repositories.kind === "all" ? ["{{all-repositories}}"] : target.repositories.names;
}

function refused(reason: string): Explanation {
  return { outcome: "refused", failedRules: [], reasons: [reason] };
}
