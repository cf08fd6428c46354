import type { PolicyGeneration } from "./policy.ts";
import { DEFAULT_PROFILE, parseReference, type ProfileReference } from "./reference.ts";

/** Every profile that somebody can ask for, `default` first, then as the file has them: pipeline's, then organization's. */
export function listProfiles(generation: PolicyGeneration): readonly ProfileReference[] {
  return [
    { kind: "pipeline", name: DEFAULT_PROFILE },
    ...Array.from(generation.pipelineProfiles.keys(), (name) => ({ kind: "pipeline", name }) as const),
    ...Array.from(generation.organizationProfiles.keys(), (name) => ({ kind: "organization", name }) as const),
  ];
}

/**
 * The profiles that a person may mean: `repo:NAME` and `org:NAME` name one, a bare `NAME` the one of that name in either section, or
 * both. Empty: there is none.
 */
export function findProfiles(generation: PolicyGeneration, text: string): readonly ProfileReference[] {
  const asked = (["pipeline", "organization"] as const).flatMap((kind) => {
    const parsed = parseReference(text, kind);
    return parsed.kind === "reference" ? [parsed.reference] : [];
  });
  return listProfiles(generation).filter(({ kind, name }) =>
    asked.some((reference) => reference.kind === kind && reference.name === name),
  );
}
