import { isSameName } from "../github/repository-name.ts";
import { canWrite } from "../permissions/permission-set.ts";
import type { Located, Position } from "./finding.ts";
import type { Danger, InspectedProfile } from "./danger.ts";
import type { ClaimRule } from "./policy.ts";

/** What is dangerous about who may use a profile. */
export function findRuleDangers(inspected: InspectedProfile): readonly Danger[] {
  const { rules } = inspected.profile.rules;
  const everything = findOpenPatterns(inspected);
  if (rules.length === 0) return findUnruledWrite(inspected);
  return [...findForgeableRules(inspected), ...everything];
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
            message: `the profile can write ${policyRepository}, which holds this policy: whoever uses it can grant themselves anything`,
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
  const message = `no rule says who may have ${write.value}: every pipeline of the organization gets it`;
  return [{ code: "write-without-rule", at: write.at, message }];
}

const AGENT_TAG = "agent_tag:";

/** Labels of a build, not of a pipeline: docs/profiles.md cites Buildkite on who chooses them. */
const BUILD_LABELS: ReadonlySet<string> = new Set(["build_branch", "build_tag", "build_commit", "build_number"]);

function findForgeableRules(inspected: InspectedProfile): readonly Danger[] {
  const { rules } = inspected.profile.rules;
  const at = inspected.source.match?.value[0]?.claim?.at ?? inspected.source.at;
  const claims = [...new Set(rules.map(({ claim }) => claim))];
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

function findOpenPatterns({ profile, source }: InspectedProfile): readonly Danger[] {
  return profile.rules.rules.flatMap((rule, index): readonly Danger[] => {
    if (!matchesEverything(rule)) return [];
    const entry = source.match?.value[index];
    const message = `the pattern matches every value: the rule asks no more than that there is a ${rule.claim}`;
    return [{ code: "pattern-matches-everything", at: entry?.valuePattern?.at ?? source.at, message }];
  });
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
