import type { Clock } from "../lib/clock.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { findWiderPermission } from "../permissions/no-wider.ts";
import type { OrganizationProfile, PipelineProfile, PolicyGeneration } from "../profiles/policy.ts";
import type { AppConnection } from "../vending/mint.ts";
import { borrowTokens } from "./borrowed-tokens.ts";
import { type Check, failed, type Finding, ok } from "./check.ts";
import type { UsableApp } from "./check-app.ts";
import { examine } from "./examine.ts";
import { explainFault } from "./explain-fault.ts";

/** What GitHub takes in one request. */
const MOST_REPOSITORIES = 500;
/** So many are asked about one by one, to name those out of reach. */
const MOST_SINGLE_QUESTIONS = 20;

const explain = explainFault({
  unavailable: "github-unavailable",
  refused: "repositories-out-of-reach",
  malformed: "github-malformed",
});

type Profile = PipelineProfile | OrganizationProfile;

/** Whether the profiles ask for what the installations hold: permissions, and the repositories they name. */
export async function checkPermissions(
  policy: PolicyGeneration | undefined,
  apps: readonly UsableApp[],
  clock: Clock,
): Promise<Check> {
  const { check } = await examine("what profiles ask for", clock, async ({ run, skip }) => {
    if (policy === undefined) return skip("permissions", "there is no policy to compare with");
    const profiles = [
      policy.defaultPipelineProfile,
      ...policy.pipelineProfiles.values(),
      ...policy.organizationProfiles.values(),
    ].filter((profile) => profile.kind !== "unavailable");
    if (apps.length === 0) return skip("permissions", "no App can be used");
    for (const usable of apps) {
      const { name } = usable.connected.app;
      const own = profiles.filter(({ appName }) => appName === name);
      await run(`permissions of App ${name}`, () => Promise.resolve(comparePermissions(own, usable)));
      const named = namesIn(own);
      if (named.length > 0)
        await run(`repositories of App ${name}`, () => reach(named, usable.connected.connection), explain);
    }
  });
  return check;
}

function comparePermissions(profiles: readonly Profile[], { installation }: UsableApp): Finding<undefined> {
  const missing = profiles.flatMap(({ kind, name, permissions }) => {
    const found = Object.entries(permissions.request).flatMap(([field, action]) => {
      const wider = findWiderPermission({ [field]: action }, installation.permissions);
      return wider === undefined ? [] : [wider];
    });
    const label = `${kind === "pipeline" ? "repo" : "org"}:${name}`;
    return found.length === 0 ? [] : [`${label} asks for ${found.join(" ")}`];
  });
  if (missing.length > 0) return failed("permission-not-held", `not held: ${missing.join("; ")}`);
  return ok(`all that ${profiles.length} profiles ask for is held`, undefined);
}

function namesIn(profiles: readonly Profile[]): readonly string[] {
  const names = profiles.flatMap((profile) =>
    profile.kind === "organization" && profile.reach.kind === "names" ? profile.reach.names : [],
  );
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

/** Asks for a token that may read these repositories' names and no more, and gives it back. */
async function reach(names: readonly string[], connection: AppConnection): Promise<Finding<undefined>> {
  await using borrowed = borrowTokens(connection);
  for (let from = 0; from < names.length; from += MOST_REPOSITORIES) {
    const some = names.slice(from, from + MOST_REPOSITORIES);
    if (await isReached(some, borrowed.connection)) continue;
    const strange = await findStrange(some, borrowed.connection);
    const which = strange.length === 0 ? `one at least of ${some.length}` : strange.join(", ");
    return failed("repositories-out-of-reach", `the installation does not reach ${which}`);
  }
  return ok(`all ${names.length} that profiles name are reached`, undefined);
}

/** Those out of reach; none when there are too many to ask about each. */
async function findStrange(names: readonly string[], connection: AppConnection): Promise<readonly string[]> {
  if (names.length > MOST_SINGLE_QUESTIONS) return [];
  const reached = await Promise.all(names.map((name) => isReached([name], connection)));
  return names.filter((_, index) => reached[index] === false);
}

async function isReached(names: readonly string[], { createToken }: AppConnection): Promise<boolean> {
  const [first, ...others] = names;
  if (first === undefined) return true;
  try {
    await createToken({
      permissions: { metadata: "read" },
      repositories: { kind: "names", names: [first, ...others] },
    });
    return true;
  } catch (error) {
    if (error instanceof UpstreamFault && error.details.status === 422) return false;
    throw error;
  }
}
