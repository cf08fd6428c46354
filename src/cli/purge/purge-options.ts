import type { AppIds } from "../../config/github.ts";
import { nearestName } from "../../lib/nearest-name.ts";
import type { PurgeScope } from "../../purge/purge-scope.ts";
import type { CommandOption, Invocation } from "../command.ts";
import { CommandFailure, UsageError } from "../failure.ts";
import { printable } from "../printable.ts";

export const SCOPE_OPTIONS: readonly CommandOption[] = [
  {
    name: "profile",
    value: "NAME",
    meaning: "tokens of the profiles of that name; repo:NAME or org:NAME for one kind",
  },
  {
    name: "pipeline",
    value: "ID",
    meaning: "tokens of the pipeline with that id; organization profiles' are shared, so stay",
  },
  { name: "app", value: "NAME", meaning: "tokens of that GitHub App, by its name in the configuration" },
  { name: "all", meaning: "every token" },
];

/** What the command line asks for; an App still by its name. */
export type AskedScope =
  Exclude<PurgeScope, { readonly kind: "app" }> | { readonly kind: "app"; readonly name: string };

const PROFILE = /^(?:(repo|org):)?([^/:\s\p{Cc}][^/:\p{Cc}]*)$/u;
/** As Buildkite writes ids, which is how tokens carry them. */
const PIPELINE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Throws `UsageError` unless exactly one scope is named, in its form. */
export function readScope(invocation: Invocation): AskedScope {
  const given = SCOPE_OPTIONS.filter(({ name }) => invocation.flag(name));
  const [option] = given;
  if (option === undefined || given.length > 1)
    throw new UsageError(
      "purge needs exactly one of --profile, --pipeline, --app and --all",
      "see chinmina-bridge purge --help",
    );
  const value = invocation.text(option.name) ?? "";
  switch (option.name) {
    case "profile":
      return readProfile(value);
    case "pipeline":
      if (!PIPELINE_ID.test(value.toLowerCase()))
        throw new UsageError(
          "--pipeline takes a pipeline's id, not its slug",
          "audit entries show it in token.requestedProfile",
        );
      return { kind: "pipeline", pipelineId: value.toLowerCase() };
    case "app":
      return { kind: "app", name: value };
    default:
      return { kind: "all" };
  }
}

function readProfile(text: string): AskedScope {
  const [, prefix, name] = PROFILE.exec(text) ?? [];
  if (name === undefined)
    throw new UsageError(
      "--profile takes a profile's name: NAME, repo:NAME or org:NAME",
      "without the repository of a caller-scoped profile",
    );
  if (prefix === undefined) return { kind: "profile", name };
  return { kind: "profile", name, profileKind: prefix === "repo" ? "pipeline" : "organization" };
}

/** Finds an App by its name. Throws `CommandFailure` for one that is not configured. */
export function resolveScope(asked: AskedScope, apps: readonly AppIds[]): PurgeScope {
  if (asked.kind !== "app") return asked;
  const app = apps.find(({ name }) => name === asked.name);
  if (app !== undefined) return { kind: "app", appId: app.appId, installationId: app.installationId };
  const names = apps.map(({ name }) => name);
  const nearest = nearestName(asked.name, names);
  throw new CommandFailure(`no App named ${printable(asked.name)} is configured`, {
    code: "app-unknown",
    advice: nearest === undefined ? `there are: ${names.join(", ")}` : `did you mean ${nearest}?`,
  });
}
