/** Where something stands in the file: lines and columns count from 1, columns in UTF-16 units as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A value of the file with the place where it is written; behind an alias, where its anchor is. */
export interface Located<T> {
  readonly value: T;
  readonly at: Position;
}

/** What refuses the whole file. */
export type FileFaultCode =
  | "file-too-large"
  | "not-utf8"
  | "control-character"
  | "yaml-syntax"
  | "yaml-directive"
  | "yaml-tag"
  | "several-documents"
  | "too-deep"
  | "alias-expansion"
  | "duplicate-key"
  | "unknown-key"
  | "wrong-type"
  | "invalid-default-permissions";

/** What makes one profile unavailable. */
export type ProfileFaultCode =
  | "empty-name"
  | "reserved-name"
  | "malformed-name"
  | "repeated-name"
  | "empty-permissions"
  | "malformed-permission"
  | "unknown-permission"
  | "unsupported-action"
  | "empty-repositories"
  | "malformed-repository"
  | "literal-not-alone"
  | "missing-claim"
  | "unknown-claim"
  | "missing-match-value"
  | "ambiguous-match-value"
  | "invalid-pattern"
  | "empty-app"
  | "unusable-app";

/** What is legal and worth a look. */
export type WarningCode = "deprecated-wildcard" | "repeated-permission" | "repeated-repository" | "empty-match";

/** What is legal and dangerous: looked for by `profiles check`, not at every refresh. */
export type DangerCode =
  | "write-without-rule"
  | "write-by-build-label"
  | "write-to-all-repositories"
  | "writes-policy-repository"
  | "organization-permission"
  | "pattern-matches-everything"
  | "agent-tag-alone"
  | "unaskable-name"
  | "permission-not-held";

/** What is wrong with a table of cases for `profiles test`, beside its shape. */
export type CaseFaultCode = "invalid-case";

export type FindingCode = CaseFaultCode | FileFaultCode | ProfileFaultCode | WarningCode | DangerCode;

interface FindingText extends Position {
  /** For people. Quotes the file, shortened; says what to write instead where that is known. */
  readonly message: string;
  /** `repo:NAME` or `org:NAME`; absent for what concerns the whole file. */
  readonly profile?: string;
}

/** Something to say about a profile file. `code` is stable. */
export type Finding =
  | (FindingText & { readonly severity: "error"; readonly code: FileFaultCode | ProfileFaultCode | CaseFaultCode })
  | (FindingText & { readonly severity: "warning"; readonly code: WarningCode | DangerCode });

/** Notes that the whole file is refused, for what stands at this offset of its text. */
export type ReportFileFault = (code: FileFaultCode, offset: number, message: string) => void;

/** Past so many findings on the whole file nothing more is said: nobody reads them, and memory stays bounded. */
export const MAX_FILE_FINDINGS = 100;

const LONGEST_QUOTE = 120;

/** A text of the file as a message shows it: in quotes, on one line, at most 120 characters of it. */
export function quoted(text: string): string {
  const characters = Array.from(text.slice(0, 2 * LONGEST_QUOTE));
  const short = characters.length > LONGEST_QUOTE || text.length > 2 * LONGEST_QUOTE;
  return JSON.stringify(short ? `${characters.slice(0, LONGEST_QUOTE).join("")}…` : text);
}

/** In reading order, as an editor lists them. */
export function inFileOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => a.line - b.line || a.column - b.column);
}
