import type { RepositorySelection } from "../github/installation-tokens.ts";
import { parseRepositoryPath } from "../github/repository-url.ts";
import type { OrganizationProfile, PipelineProfile } from "../profiles/policy.ts";
import type { VendingTarget } from "./authorize.ts";
import type { AskedRepository } from "./coverage.ts";

/** The one repository that a caller chooses, before anyone knows whether the profile lets it choose. */
export type CallerScope =
  | { readonly kind: "absent" }
  | { readonly kind: "repository"; readonly name: string }
  | { readonly kind: "invalid"; readonly cause: string };

/** What a request wants of a profile, as its route carries it. */
export type Wish =
  { readonly kind: "token"; readonly scope: CallerScope } | { readonly kind: "git"; readonly path: string | undefined };

export type TargetChoice =
  | {
      readonly kind: "target";
      readonly target: VendingTarget;
      /** What git asked about, to be compared with what the token reaches; undefined when any repository will do. */
      readonly asked: AskedRepository | undefined;
    }
  /** git goes on to its next helper. */
  | { readonly kind: "skip" }
  | {
      readonly kind: "refused";
      readonly reason: "invalid-scope" | "scope-not-accepted" | "scope-required";
      /** For the audit entry. */
      readonly cause: string;
    };

/** What the profile's kind makes of the wish. Asks nobody; rules and owners are judged later. */
export function chooseTarget(profile: PipelineProfile | OrganizationProfile, wish: Wish): TargetChoice {
  if (profile.kind === "pipeline") return choosePipelineTarget(wish);
  return wish.kind === "token" ? chooseByScope(profile, wish.scope) : chooseByPath(profile, wish.path);
}

function choosePipelineTarget(wish: Wish): TargetChoice {
  const target: VendingTarget = { kind: "pipeline" };
  if (wish.kind === "token") return { kind: "target", target, asked: undefined };
  const asked = readAsked(wish.path);
  return asked?.name === undefined ? { kind: "skip" } : { kind: "target", target, asked };
}

function chooseByScope({ reach }: OrganizationProfile, scope: CallerScope): TargetChoice {
  if (scope.kind === "invalid") return refused("invalid-scope", scope.cause);
  if (reach.kind !== "caller-scoped") {
    if (scope.kind === "absent") return organizationTarget(reach, undefined);
    return refused("scope-not-accepted", "the profile takes no repository scope");
  }
  if (scope.kind === "repository") return scopedTarget(scope.name, undefined);
  return refused("scope-required", "the profile needs a repository scope");
}

function chooseByPath({ reach }: OrganizationProfile, path: string | undefined): TargetChoice {
  const asked = readAsked(path);
  switch (reach.kind) {
    case "names":
      return asked?.name === undefined ? { kind: "skip" } : organizationTarget(reach, asked);
    case "all":
      return organizationTarget({ kind: "all" }, asked);
    case "caller-scoped":
      if (asked?.name !== undefined) return scopedTarget(asked.name, asked);
      return refused("scope-required", "git's path names no repository");
  }
}

function refused(reason: Extract<TargetChoice, { kind: "refused" }>["reason"], cause: string): TargetChoice {
  return { kind: "refused", reason, cause };
}

function organizationTarget(repositories: RepositorySelection, asked: AskedRepository | undefined): TargetChoice {
  return { kind: "target", target: { kind: "organization", repositories }, asked };
}

function scopedTarget(name: string, asked: AskedRepository | undefined): TargetChoice {
  const repositories: RepositorySelection = { kind: "names", names: [name] };
  return { kind: "target", target: { kind: "organization", repositories, callerScope: name }, asked };
}

function readAsked(path: string | undefined): AskedRepository | undefined {
  const repository = path === undefined ? undefined : parseRepositoryPath(path);
  if (repository !== undefined) return repository;
  const [owner = ""] = (path ?? "").replace(/^\//, "").split("/");
  return owner === "" ? undefined : { owner, name: undefined };
}
