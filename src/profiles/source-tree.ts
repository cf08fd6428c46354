import { Composer, LineCounter, Parser, type Document, type ErrorCode } from "yaml";
import { type FileFaultCode, type Finding, MAX_FILE_FINDINGS, type Position, type ReportFileFault } from "./finding.ts";
import { createNodeReader, type SourceNode } from "./source-node.ts";
import { findTooDeep } from "./yaml-depth.ts";

export type SourceTree =
  | { readonly kind: "tree"; readonly root: SourceNode }
  | { readonly kind: "refused"; readonly findings: readonly Finding[] };

/** A valid file nests eight deep; the stack, ours or the library's, must never be what ends a deeper one. */
const MAX_DEPTH = 32;

/** More syntax errors than this help nobody: the later ones mostly follow from the first. */
const MAX_SYNTAX_FINDINGS = 20;

/**
 * Reads YAML 1.2 with the core schema and nothing beyond: one document, text keys that are unique, core tags, aliases
 * within bounds, no merge keys, no directive but `%YAML 1.2`. No document at all is a null.
 *
 * Takes time in proportion to the text: uniqueness is checked here, because the library compares every key with every other.
 */
export function readSourceTree(text: string): SourceTree {
  const lines = new LineCounter();
  const tokens = Array.from(new Parser(lines.addNewLine).parse(text));
  const findings: Finding[] = [];
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report: ReportFileFault = (code, offset, message) => {
    if (findings.length < MAX_FILE_FINDINGS) findings.push({ severity: "error", code, message, ...at(offset) });
  };

  const tooDeep = tokens.map((token) => findTooDeep(token, MAX_DEPTH)).find((offset) => offset !== undefined);
  if (tooDeep !== undefined) {
    report("too-deep", tooDeep, `values are nested more than ${MAX_DEPTH} deep`);
    return { kind: "refused", findings };
  }
  const composer = new Composer({
    schema: "core",
    strict: true,
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
  });
  // A document even when there is none, for it carries what was found wrong.
  const [document, second] = composer.compose(tokens, true, text.length);
  if (document !== undefined) reportSyntax(document, report);
  if (second !== undefined) report("several-documents", second.range[0], "the file holds more than one YAML document");
  if (findings.length > 0) return { kind: "refused", findings };
  const root = createNodeReader(at, report)(document?.contents);
  return findings.length > 0 ? { kind: "refused", findings } : { kind: "tree", root };
}

function reportSyntax({ errors, warnings, directives }: Document.Parsed, report: ReportFileFault): void {
  for (const problem of [...errors, ...warnings].slice(0, MAX_SYNTAX_FINDINGS)) {
    report(codeOf(problem.code), problem.pos[0], problem.message);
  }
  const { version } = directives.yaml;
  if (version !== "1.2") report("yaml-directive", 0, `%YAML ${version} is not accepted: the file is read as YAML 1.2`);
  if (Object.keys(directives.tags).some((handle) => handle !== "!!")) {
    report("yaml-directive", 0, "%TAG is not accepted");
  }
}

function codeOf(code: ErrorCode): FileFaultCode {
  switch (code) {
    case "NON_STRING_KEY":
      return "wrong-type";
    case "TAG_RESOLVE_FAILED":
    case "BAD_COLLECTION_TYPE":
      return "yaml-tag";
    case "BAD_DIRECTIVE":
      return "yaml-directive";
    case "RESOURCE_EXHAUSTION":
      return "too-deep";
    default:
      return "yaml-syntax";
  }
}
