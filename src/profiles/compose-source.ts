import { Composer, type CST, type Document, type ErrorCode } from "yaml";
import type { FileFaultCode, ReportFileFault } from "./finding.ts";

/** More syntax errors than this help nobody: the later ones mostly follow from the first. */
export const MAX_SYNTAX_FINDINGS = 20;

/**
 * Makes the library's syntax tokens into its document, and reports what is wrong with the syntax, the directives and the number of documents.
 * Undefined when there are so many errors that it was not worth going on.
 */
export function composeSource(
  tokens: readonly CST.Token[],
  length: number,
  report: ReportFileFault,
): Document.Parsed | undefined {
  const composer = new Composer({
    schema: "core",
    strict: true,
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
  });
  // The library's own way of noting errors has no end: a mebibyte of commas would cost a gibibyte.
  Object.assign(composer, { onError: createLimitedReport(report) });
  try {
    // A document even when there is none, for it carries what was found wrong.
    const [document, second] = composer.compose(tokens, true, length);
    if (document !== undefined) reportDocument(document, report);
    if (second !== undefined)
      report("several-documents", second.range[0], "the file holds more than one YAML document");
    return document;
  } catch (error) {
    if (error instanceof TooManyErrors) return undefined;
    throw error;
  }
}

class TooManyErrors extends Error {}

/** Where the library says that something is wrong. */
type Place = number | readonly [number, number] | { readonly offset: number };

function createLimitedReport(report: ReportFileFault): (place: Place, code: ErrorCode, message: string) => void {
  let count = 0;
  return (place, code, message) => {
    if (count++ >= MAX_SYNTAX_FINDINGS) throw new TooManyErrors();
    report(codeOf(code), offsetOf(place), message);
  };
}

function offsetOf(place: Place): number {
  if (typeof place === "number") return place;
  return "offset" in place ? place.offset : place[0];
}

function reportDocument({ errors, warnings, directives }: Document.Parsed, report: ReportFileFault): void {
  for (const problem of [...errors, ...warnings]) report(codeOf(problem.code), problem.pos[0], problem.message);
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
