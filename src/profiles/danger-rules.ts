import { isSameName } from "../github/repository-name.ts";
import { canWrite } from "../permissions/permission-set.ts";
import type { Located, Position } from "./finding.ts";
import type { Danger, InspectedProfile } from "./danger.ts";
import type { ClaimRule } from "./policy.ts";

/** A rule that leaves somebody out, with where it is written. */
interface TellingRule {
  readonly rule: ClaimRule;
  readonly at: Position;
}

/** What is dangerous about who may use a profile. A rule that lets every value in counts as none. */
export function findRuleDangers(inspected: InspectedProfile): readonly Danger[] {
  const { profile, source } = inspected;
  const placed = profile.rules.rules.map((rule, index) => ({ rule, entry: source.match?.value[index] }));
  const telling = placed
    .filter(({ rule }) => !matchesEverything(rule))
    .map(({ rule, entry }): TellingRule => ({ rule, at: entry?.claim?.at ?? source.at }));
  const open = placed
    .filter(({ rule }) => matchesEverything(rule))
    .map(({ rule, entry }): Danger => {
      const message = `the pattern matches every value: the rule asks no more than that there is a ${rule.claim}`;
      return { code: "pattern-matches-everything", at: entry?.valuePattern?.at ?? source.at, message };
    });
  return [...open, ...findWeakRules(inspected, telling)];
}

function findWeakRules(inspected: InspectedProfile, telling: readonly TellingRule[]): readonly Danger[] {
  const [first] = telling;
  return first === undefined ? findUnruledWrite(inspected) : findForgeableRules(inspected, telling, first.at);
}

/** What is dangerous about which repositories a profile can write. */
export function findReachDangers(inspected: InspectedProfile, policyRepository: string | undefined): readonly Danger[] {
  const { profile, source } = inspected;
  const write = firstWrite(inspected);
  if (profile.kind === "pipeline" || write === undefined) return [];
  const [first] = source.repositories?.value ?? [];
  const own = policyRepository === undefined ? undefined : findPolicyRepository(inspected, policyRepository);
  return [
    ...(profile.reach.kind === "all"
      ? [
          {
            code: "write-to-all-repositories" as const,
            at: first?.at ?? source.at,
            message: `${write.value} on every repository that the App is installed on, and on those to come`,
          },
        ]
      : []),
    ...(own === undefined
      ? []
      : [
          {
            code: "writes-policy-repository" as const,
            at: own,
            message: `${write.value} on ${policyRepository}, which holds this policy: whoever may use the profile may widen the policy`,
          },
        ]),
  ];
}

/** A caller-scoped profile is kept from it by the service itself. */
function findPolicyRepository({ profile, source }: InspectedProfile, policyRepository: string): Position | undefined {
  if (profile.kind === "pipeline" || profile.reach.kind === "caller-scoped") return undefined;
  const entries = source.repositories?.value ?? [];
  if (profile.reach.kind === "all") return entries[0]?.at ?? source.at;
  return entries.find(({ value }) => isSameName(value, policyRepository))?.at;
}

function findUnruledWrite(inspected: InspectedProfile): readonly Danger[] {
  const write = firstWrite(inspected);
  if (write === undefined) return [];
  const message = `no rule narrows who may have ${write.value}: every pipeline of the organization gets it`;
  return [{ code: "write-without-rule", at: write.at, message }];
}

const AGENT_TAG = "agent_tag:";

/** Labels of a build, not of a pipeline: docs/profiles.md cites Buildkite on who chooses them. */
const BUILD_LABELS: ReadonlySet<string> = new Set(["build_branch", "build_tag", "build_commit", "build_number"]);

function findForgeableRules(
  inspected: InspectedProfile,
  telling: readonly TellingRule[],
  at: Position,
): readonly Danger[] {
  const claims = [...new Set(telling.map(({ rule }) => rule.claim))];
  const shown = claims.join(" and ");
  if (claims.every((claim) => claim.startsWith(AGENT_TAG))) {
    const message = `only ${shown} decides who may use the profile, and whoever starts an agent sets its tags`;
    return [{ code: "agent-tag-alone", at, message }];
  }
  const isForgeable = claims.every((claim) => claim.startsWith(AGENT_TAG) || BUILD_LABELS.has(claim));
  if (!isForgeable || !canWrite(inspected.profile.permissions)) return [];
  const message = `only ${shown} decides who may write, and whoever creates a build, of any pipeline, chooses that`;
  return [{ code: "write-by-build-label", at, message }];
}

/** Values that have nothing in common but being legal: a pattern that says anything at all refuses one of them. */
const PROBES: readonly string[] = [
  ...Array.from("0aZ-_.:@/!~é字"),
  "main",
  "release/1.2.3",
  "0183c4e6-c88c-4e5e-9b3a-0c4e5e9b3a7f",
  "+%&#$'\"(){}[]<>*?^|\\`,;=",
  "q".repeat(256),
];

function matchesEverything(rule: ClaimRule): boolean {
  return rule.kind === "pattern" && PROBES.every((value) => rule.pattern.matches(value));
}

function firstWrite({ permissions }: InspectedProfile): Located<string> | undefined {
  return permissions.value.find(({ value }) => !value.endsWith(":read"));
}
