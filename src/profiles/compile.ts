import type { PermissionSet } from "../permissions/permission-set.ts";
import { compileOrganizationEntry, compilePipelineEntry, type PolicyEntry } from "./compile-entry.ts";
import { compilePermissions } from "./compile-permissions.ts";
import { createPatternCompiler } from "./compile-rules.ts";
import { compileSection } from "./compile-section.ts";
import { CONTENTS_READ, createDefaultProfile } from "./default-policy.ts";
import { type PolicyDocument, readDocument } from "./document.ts";
import type { Finding, Located } from "./finding.ts";
import type { PolicyGeneration } from "./policy.ts";
import { createProblemSink } from "./problem-sink.ts";
import { DEFAULT_PROFILE } from "./reference.ts";

/** A policy with what there is to say about the file it comes from. Which Apps exist is not looked at (`inspectPolicy`). */
export interface CompiledPolicy {
  readonly generation: PolicyGeneration;
  /** One for each profile as it is written, repeated and nameless ones included: pipeline profiles, then organization's. */
  readonly entries: readonly PolicyEntry[];
  /** Whether the file has `pipeline.defaults.permissions`. */
  readonly declaresDefaults: boolean;
  /** As they are written, where the file has them. */
  readonly defaultPermissions?: Located<readonly Located<string>[]>;
  /** What to say about the defaults: warnings alone. */
  readonly defaultsFindings: readonly Finding[];
}

export type Compilation =
  | { readonly kind: "compiled"; readonly policy: CompiledPolicy }
  /** The whole file is refused. In file order; never empty. */
  | { readonly kind: "refused"; readonly findings: readonly Finding[] };

/** Reads and compiles a profile file. `digest` is the SHA-256 of `bytes` in hex. Never throws. */
export function compileFile(bytes: Uint8Array, digest: string): Compilation {
  const reading = readDocument(bytes);
  return reading.kind === "refused" ? reading : compilePolicy(reading.document, digest);
}

/**
 * Compiles a document into a generation: profiles that make no sense become unavailable with every reason, the others
 * serve. Only bad default permissions refuse the whole document: every pipeline would get them.
 */
export function compilePolicy(document: PolicyDocument, digest: string): Compilation {
  const defaults = compileDefaults(document);
  if (defaults.kind === "refused") return defaults;
  const compilePattern = createPatternCompiler();
  const pipeline = compileSection(document.pipelineProfiles, compilePipelineEntry, compilePattern);
  const organization = compileSection(document.organizationProfiles, compileOrganizationEntry, compilePattern);
  const generation: PolicyGeneration = {
    digest,
    defaultPipelineProfile: createDefaultProfile(defaults.permissions),
    pipelineProfiles: withoutDefault(pipeline.profiles),
    organizationProfiles: organization.profiles,
  };
  return {
    kind: "compiled",
    policy: {
      generation,
      entries: [...pipeline.entries, ...organization.entries],
      declaresDefaults: document.defaultPermissions !== undefined,
      ...(document.defaultPermissions === undefined ? {} : { defaultPermissions: document.defaultPermissions }),
      defaultsFindings: defaults.findings,
    },
  };
}

/** A profile that calls itself `default` is invalid, and must not stand where the real one is looked up. */
function withoutDefault<Profile>(profiles: ReadonlyMap<string, Profile>): ReadonlyMap<string, Profile> {
  return new Map([...profiles].filter(([name]) => name !== DEFAULT_PROFILE));
}

type Defaults =
  | { readonly kind: "permissions"; readonly permissions: PermissionSet; readonly findings: readonly Finding[] }
  | { readonly kind: "refused"; readonly findings: readonly Finding[] };

function compileDefaults({ defaultPermissions }: PolicyDocument): Defaults {
  if (defaultPermissions === undefined) return { kind: "permissions", permissions: CONTENTS_READ, findings: [] };
  const problems = createProblemSink(`repo:${DEFAULT_PROFILE}`);
  const permissions = compilePermissions(defaultPermissions, defaultPermissions.at, problems);
  if (permissions !== undefined) return { kind: "permissions", permissions, findings: problems.findings };
  return {
    kind: "refused",
    findings: problems.findings
      .filter(({ severity }) => severity === "error")
      .map(({ message, line, column }) => ({
        severity: "error",
        code: "invalid-default-permissions",
        message: `pipeline.defaults: ${message}`,
        line,
        column,
      })),
  };
}
