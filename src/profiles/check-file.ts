import { compileFile } from "./compile.ts";
import { type Finding, inFileOrder } from "./finding.ts";
import { inspectDangers, type DangerContext } from "./inspect-dangers.ts";
import { inspectPolicy, type PolicyInspection } from "./inspect.ts";

export interface FileCheck {
  /** Errors and warnings, in file order. */
  readonly findings: readonly Finding[];
  /** Absent when the whole file is refused. */
  readonly counts?: PolicyInspection["counts"];
}

/** Everything there is to say about a profile file before it is merged: what the service would refuse, and what it would take and should not. */
export function checkFile(bytes: Uint8Array, context: DangerContext): FileCheck {
  const compilation = compileFile(bytes, "");
  if (compilation.kind === "refused") return { findings: compilation.findings };
  const { findings, counts } = inspectPolicy(compilation.policy, context.isAppUsable);
  return { findings: inFileOrder([...findings, ...inspectDangers(compilation.policy, context)]), counts };
}
