import { compilePermissions } from "./compile-permissions.ts";
import { compileReach } from "./compile-reach.ts";
import { compileRules, type PatternCompiler } from "./compile-rules.ts";
import type { ProfileEntry } from "./document.ts";
import { type Finding, type Located, type Position, quoted } from "./finding.ts";
import { DEFAULT_APP, type OrganizationProfile, type PipelineProfile, type UnavailableProfile } from "./policy.ts";
import { createProblemSink, type ProblemSink, reasonsOf } from "./problem-sink.ts";
import { DEFAULT_PROFILE, labelOf, type ProfileReference } from "./reference.ts";

/** What became of one profile of the file. */
export interface PolicyEntry {
  readonly kind: ProfileReference["kind"];
  readonly name: string;
  readonly at: Position;
  /** Errors make it unavailable; warnings do not. */
  readonly findings: readonly Finding[];
  /** The App it names, when that is another than the default one. Whether there is such an App is not looked at. */
  readonly app?: Located<string>;
  /** As it is written. Every rule of an available profile has its `match` entry, in the same order. */
  readonly source: ProfileEntry;
  readonly profile: PipelineProfile | OrganizationProfile | UnavailableProfile;
}

export interface CompiledEntry<Profile> {
  readonly entry: PolicyEntry;
  readonly profile: Profile | UnavailableProfile;
}

export interface EntryContext {
  readonly compilePattern: PatternCompiler;
  /** The names that stand in this section more than once. */
  readonly repeated: ReadonlySet<string>;
}

export function compilePipelineEntry(source: ProfileEntry, context: EntryContext): CompiledEntry<PipelineProfile> {
  return compileEntry("pipeline", source, context, (common) => common && { kind: "pipeline", ...common });
}

export function compileOrganizationEntry(
  source: ProfileEntry,
  context: EntryContext,
): CompiledEntry<OrganizationProfile> {
  return compileEntry("organization", source, context, (common, problems) => {
    const reach = compileReach(source, problems);
    return reach && common && { kind: "organization", ...common, reach };
  });
}

type Common = Omit<PipelineProfile, "kind">;

/** Everything is compiled even when something is already wrong, so that all the reasons are found at once. */
function compileEntry<Profile extends PipelineProfile | OrganizationProfile>(
  kind: ProfileReference["kind"],
  source: ProfileEntry,
  { compilePattern, repeated }: EntryContext,
  complete: (common: Common | undefined, problems: ProblemSink) => Profile | undefined,
): CompiledEntry<Profile> {
  const name = source.name?.value ?? "";
  const problems = createProblemSink(labelOf({ kind, name }));
  checkName(kind, source, repeated, problems);
  const app = compileApp(source.app, problems);
  const permissions = compilePermissions(source.permissions, source.at, problems);
  const rules = compileRules(source.match, compilePattern, problems);
  const common = permissions && rules && { name, appName: app?.value ?? DEFAULT_APP, permissions, rules };
  const completed = complete(common, problems);
  const { findings } = problems;
  const reasons = reasonsOf(findings);
  const profile: Profile | UnavailableProfile =
    completed === undefined || reasons.length > 0 ? { kind: "unavailable", name, reasons } : completed;
  return {
    entry: { kind, name, at: source.at, findings, ...(app === undefined ? {} : { app }), source, profile },
    profile,
  };
}

function checkName(
  kind: ProfileReference["kind"],
  { name, at }: ProfileEntry,
  repeated: ReadonlySet<string>,
  problems: ProblemSink,
): void {
  if (name === undefined || name.value === "") {
    problems.error("empty-name", name?.at ?? at, "the profile has no name");
    return;
  }
  if (kind === "pipeline" && name.value === DEFAULT_PROFILE) {
    problems.error("reserved-name", name.at, 'the name "default" is taken; its permissions are pipeline.defaults');
  }
  if (/[/:]/.test(name.value)) {
    problems.error("malformed-name", name.at, `the name ${quoted(name.value)} contains a slash or a colon`);
  }
  if (repeated.has(name.value)) {
    problems.error(
      "repeated-name",
      name.at,
      `the name ${quoted(name.value)} is used more than once, so none of them counts`,
    );
  }
}

function compileApp(app: Located<string> | undefined, problems: ProblemSink): Located<string> | undefined {
  if (app?.value === "") problems.error("empty-app", app.at, "app is empty; leave it out for the default App");
  return app === undefined || app.value === "" || app.value === DEFAULT_APP ? undefined : app;
}
