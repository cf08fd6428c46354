import type { CompiledEntry, EntryContext, PolicyEntry } from "./compile-entry.ts";
import type { PatternCompiler } from "./compile-rules.ts";
import type { ProfileEntry } from "./document.ts";
import type { UnavailableProfile } from "./policy.ts";
import { reasonsOf } from "./problem-sink.ts";

export interface CompiledSection<Profile> {
  /** As they are written. */
  readonly entries: readonly PolicyEntry[];
  /** By name. A nameless profile is in `entries` alone: nobody can ask for it. */
  readonly profiles: ReadonlyMap<string, Profile | UnavailableProfile>;
}

/** Compiles the profiles of one section; of a repeated name none is available, for the first one's rules may be the wider ones. */
export function compileSection<Profile>(
  sources: readonly ProfileEntry[],
  compile: (source: ProfileEntry, context: EntryContext) => CompiledEntry<Profile>,
  compilePattern: PatternCompiler,
): CompiledSection<Profile> {
  const context = { compilePattern, repeated: findRepeated(sources) };
  const compiled = sources.map((source) => compile(source, context));
  const named = Map.groupBy(compiled, ({ entry }) => entry.name);
  named.delete("");
  return {
    entries: compiled.map(({ entry }) => entry),
    profiles: new Map(Array.from(named, ([name, group]) => [name, only(name, group)])),
  };
}

function only<Profile>(name: string, group: readonly CompiledEntry<Profile>[]): Profile | UnavailableProfile {
  const [first, second] = group;
  if (first !== undefined && second === undefined) return first.profile;
  return { kind: "unavailable", name, reasons: reasonsOf(group.flatMap(({ entry }) => entry.findings)) };
}

function findRepeated(sources: readonly ProfileEntry[]): ReadonlySet<string> {
  const byName = Map.groupBy(sources, ({ name }) => name?.value ?? "");
  return new Set(Array.from(byName).flatMap(([name, group]) => (group.length > 1 ? [name] : [])));
}
