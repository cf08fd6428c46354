import type { CompiledPolicy } from "./compile.ts";
import { type Finding, inFileOrder, type Position } from "./finding.ts";
import { reasonsOf } from "./problem-sink.ts";
import { labelOf } from "./reference.ts";
import { type IsAppUsable, unusableAppCause } from "./resolve.ts";

export interface ProfileCounts {
  readonly valid: number;
  readonly invalid: number;
}

/** A profile that nobody may use at the moment. */
export interface InvalidProfile {
  /** `repo:NAME` or `org:NAME`; without a name, `repo:` or `org:`. */
  readonly label: string;
  readonly at: Position;
  /** Every reason, in file order; never empty. */
  readonly reasons: readonly string[];
}

export interface PolicyInspection {
  /** Errors and warnings, in file order. */
  readonly findings: readonly Finding[];
  readonly invalid: readonly InvalidProfile[];
  /** Profiles as they are written: each of a repeated name counts. The default pipeline profile is not counted. */
  readonly counts: { readonly pipeline: ProfileCounts; readonly organization: ProfileCounts };
}

/** What there is to say about a policy at this moment, profiles whose App is unknown or out of use included. */
export function inspectPolicy(policy: CompiledPolicy, isAppUsable: IsAppUsable): PolicyInspection {
  const inspected = policy.entries.map((entry) => {
    const findings = inFileOrder([...entry.findings, ...findUnusableApp(entry, isAppUsable)]);
    return { kind: entry.kind, label: labelOf(entry), at: entry.at, findings, reasons: reasonsOf(findings) };
  });
  const count = (kind: "pipeline" | "organization"): ProfileCounts => {
    const those = inspected.filter((entry) => entry.kind === kind);
    const invalid = those.filter(({ reasons }) => reasons.length > 0).length;
    return { valid: those.length - invalid, invalid };
  };
  return {
    findings: inFileOrder([...policy.defaultsFindings, ...inspected.flatMap(({ findings }) => findings)]),
    invalid: inspected.flatMap(({ label, at, reasons }) => (reasons.length > 0 ? [{ label, at, reasons }] : [])),
    counts: { pipeline: count("pipeline"), organization: count("organization") },
  };
}

function findUnusableApp(entry: CompiledPolicy["entries"][number], isAppUsable: IsAppUsable): readonly Finding[] {
  if (entry.app === undefined || isAppUsable(entry.app.value)) return [];
  const message = unusableAppCause(entry.app.value);
  return [{ severity: "error", code: "unusable-app", message, ...entry.app.at, profile: labelOf(entry) }];
}
