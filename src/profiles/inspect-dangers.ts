import type { HeldPermissions } from "../permissions/held-permissions.ts";
import type { CompiledPolicy } from "./compile.ts";
import { findReachDangers, findRuleDangers } from "./danger-rules.ts";
import { findPermissionDangers } from "./danger-permissions.ts";
import type { Danger, InspectedProfile } from "./danger.ts";
import type { Finding } from "./finding.ts";
import { labelOf } from "./reference.ts";
import type { IsAppUsable } from "./resolve.ts";

export interface DangerContext {
  readonly isAppUsable: IsAppUsable;
  /** The name of the repository that holds the policy; undefined when nobody said. */
  readonly policyRepository?: string | undefined;
  /** Undefined when nobody said what the installations hold. */
  readonly held?: HeldPermissions | undefined;
}

/**
 * What is legal in a policy and seldom meant, or wider than its author may see. Warnings, each by itself: profiles that nobody may use
 * are left out, and nobody is asked. Not in file order.
 */
export function inspectDangers(policy: CompiledPolicy, context: DangerContext): readonly Finding[] {
  return inspectedProfiles(policy, context.isAppUsable).flatMap((inspected) => {
    const { kind, name } = inspected.profile;
    const dangers = [
      ...findNameDangers(inspected),
      ...findRuleDangers(inspected),
      ...findReachDangers(inspected, context.policyRepository),
      ...findPermissionDangers(inspected, context.held),
    ];
    return dangers.map(({ code, at, message }): Finding => ({
      severity: "warning",
      code,
      message,
      line: at.line,
      column: at.column,
      profile: labelOf({ kind, name }),
    }));
  });
}

function inspectedProfiles(
  { generation, entries, defaultPermissions }: CompiledPolicy,
  isAppUsable: IsAppUsable,
): readonly InspectedProfile[] {
  const named = entries.flatMap(({ profile, source, app }) => {
    const { permissions } = source;
    if (profile.kind === "unavailable" || permissions === undefined) return [];
    return app === undefined || isAppUsable(app.value) ? [{ profile, source, permissions }] : [];
  });
  if (defaultPermissions === undefined) return named;
  const source = { at: defaultPermissions.at };
  return [{ profile: generation.defaultPipelineProfile, source, permissions: defaultPermissions }, ...named];
}

/** What the Buildkite plugins accept as the name of a profile. */
const ASKABLE = /^[A-Za-z0-9_-]+$/;

function findNameDangers({ profile, source }: InspectedProfile): readonly Danger[] {
  if (ASKABLE.test(profile.name)) return [];
  const message = "the Buildkite plugins ask only for names of letters, digits, - and _";
  return [{ code: "unaskable-name", at: source.name?.at ?? source.at, message }];
}
