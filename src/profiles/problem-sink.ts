import type { Finding, Position, ProfileFaultCode, WarningCode } from "./finding.ts";

/** Collects what is wrong with one profile: all of it, not the first thing. */
export interface ProblemSink {
  readonly findings: readonly Finding[];
  readonly error: (code: ProfileFaultCode, at: Position, message: string) => void;
  readonly warn: (code: WarningCode, at: Position, message: string) => void;
}

/** `profile` is `repo:NAME` or `org:NAME`. */
export function createProblemSink(profile: string): ProblemSink {
  const findings: Finding[] = [];
  return {
    findings,
    error: (code, { line, column }, message) => {
      findings.push({ severity: "error", code, message, line, column, profile });
    },
    warn: (code, { line, column }, message) => {
      findings.push({ severity: "warning", code, message, line, column, profile });
    },
  };
}

/** The messages of the errors among these, each once. */
export function reasonsOf(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.filter(({ severity }) => severity === "error").map(({ message }) => message))];
}
