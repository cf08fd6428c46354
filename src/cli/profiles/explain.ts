import { findProfiles, listProfiles } from "../../profiles/list-profiles.ts";
import type { PolicyGeneration } from "../../profiles/policy.ts";
import { labelOf, type ProfileReference } from "../../profiles/reference.ts";
import { explainProfile, type ExplainedCaller } from "../../vending/explain.ts";
import { FORMAT_OPTION, type Command } from "../command.ts";
import { CommandFailure, UsageError } from "../failure.ts";
import { nearestName } from "../../lib/nearest-name.ts";
import { printable } from "../printable.ts";
import { formatTable } from "../table.ts";
import { explanationJson, explanationRow, type ExplainedProfile } from "./explanation-view.ts";
import { openPolicy } from "./open-policy.ts";
import { APPS_OPTION, POLICY_REPOSITORY_OPTION, readApps, readRepository } from "./profile-options.ts";
import { readClaims } from "./read-claims.ts";

/**
 * `profiles explain`: JSON `{"profiles": [{"profile", "outcome", "request" | "failedRule" | "reasons"}]}`, or a table. With `--profile`
 * exit 0 only when it is granted.
 */
export const explain: Command = {
  operands: { usage: "FILE", least: 1, most: 1 },
  options: [
    { name: "claims", value: "FILE", meaning: "the claims of a job's token, as JSON" },
    { name: "token", meaning: "read a token on standard input in place of --claims; it is not verified" },
    { name: "profile", value: "NAME", meaning: "this one alone: NAME, repo:NAME or org:NAME" },
    {
      name: "repository",
      value: "NAME",
      meaning: "what the job asks for, without owner; for pipeline profiles, their own",
    },
    APPS_OPTION,
    POLICY_REPOSITORY_OPTION,
    FORMAT_OPTION,
  ],
  examples: [
    "chinmina-bridge profiles explain profiles.yaml --claims claims.json",
    "chinmina-bridge profiles explain profiles.yaml --claims claims.json --profile org:plugins --repository plugin-a",
    "buildkite-agent oidc request-token --claim pipeline_id | chinmina-bridge profiles explain profiles.yaml --token",
  ],
  run: async (invocation, io) => {
    const isAppUsable = readApps(invocation);
    const repository = readRepository(invocation, "repository");
    const protectedRepository = readRepository(invocation, "policy-repository");
    const [path = ""] = invocation.operands;
    const generation = await openPolicy(path, io);
    const name = invocation.text("profile");
    const wanted = name === undefined ? listProfiles(generation) : [selectProfile(generation, name)];
    const claims = await readClaims(invocation, io);
    const caller: ExplainedCaller = { generation, claims, isAppUsable, repository, protectedRepository };
    const explained = wanted.map((reference): ExplainedProfile => ({
      label: labelOf(reference),
      explanation: explainProfile(reference, caller),
    }));
    const isJson = invocation.text("format") === "json";
    await io.out.write(
      isJson
        ? `${JSON.stringify({ profiles: explained.map(explanationJson) })}\n`
        : formatTable(["PROFILE", "OUTCOME", "WHY"], explained.map(explanationRow), io.out),
    );
    return name === undefined || explained.every(({ explanation }) => explanation.outcome === "granted") ? 0 : 1;
  },
};

function selectProfile(generation: PolicyGeneration, name: string): ProfileReference {
  const [found, another] = findProfiles(generation, name);
  if (another !== undefined) {
    throw new UsageError(
      `${printable(name)} is a pipeline profile and an organization profile`,
      "say repo:NAME or org:NAME",
    );
  }
  if (found !== undefined) return found;
  const nearest = nearestLabel(generation, name);
  const advice =
    nearest === undefined ? "without --profile, every profile is explained" : `did you mean ${printable(nearest)}?`;
  throw new CommandFailure(`the file has no profile ${printable(name)}`, { code: "profile-unknown", advice });
}

/** Names are compared without the words that all labels begin with, which would make any two of them alike. */
function nearestLabel(generation: PolicyGeneration, asked: string): string | undefined {
  const [, kind, name = asked] = /^(repo|org):(.*)$/s.exec(asked) ?? [];
  const known = listProfiles(generation);
  const nearest = nearestName(
    name,
    known.map((profile) => profile.name),
  );
  const named = known.filter((profile) => profile.name === nearest).map(labelOf);
  return named.find((label) => label.startsWith(`${kind}:`)) ?? named[0];
}
