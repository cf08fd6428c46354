import { type CST, Lexer, LineCounter, Parser } from "yaml";
import { composeSource, MAX_SYNTAX_FINDINGS } from "./compose-source.ts";
import { type Finding, MAX_FILE_FINDINGS, type Position, type ReportFileFault } from "./finding.ts";
import { createNodeReader, type SourceNode } from "./source-node.ts";

export type SourceTree =
  | { readonly kind: "tree"; readonly root: SourceNode }
  | { readonly kind: "refused"; readonly findings: readonly Finding[] };

/** As the lexer counts, spaces and line ends too. A mebibyte of the shortest profiles has 500,000; one of commas would cost seconds. */
const MAX_TOKENS = 600_000;

/** A valid file nests eight deep; the stack, ours or the library's, must never be what ends a deeper one. */
const MAX_DEPTH = 32;

/**
 * Reads YAML 1.2 with the core schema and nothing beyond: one document, text keys that are unique, core tags, aliases
 * within bounds, no merge keys, no directive but `%YAML 1.2`. No document at all is a null.
 *
 * Takes time in proportion to the text: uniqueness is checked here, because the library compares every key with every other.
 */
export function readSourceTree(text: string): SourceTree {
  const lines = new LineCounter();
  const findings: Finding[] = [];
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report: ReportFileFault = (code, offset, message) => {
    if (findings.length < MAX_FILE_FINDINGS) findings.push({ severity: "error", code, message, ...at(offset) });
  };

  const parsing = parseTokens(text, lines);
  if (parsing.kind === "too-deep") {
    report("too-deep", parsing.offset, `values are nested more than ${MAX_DEPTH} deep`);
    return { kind: "refused", findings };
  }
  if (parsing.kind === "too-many") {
    report("file-too-large", 0, `the file has more than ${MAX_TOKENS} YAML tokens`);
    return { kind: "refused", findings };
  }
  const document = composeSource(parsing.tokens, text.length, report);
  if (findings.length > 0) return { kind: "refused", findings };
  const root = createNodeReader(at, report)(document?.contents);
  return findings.length > 0 ? { kind: "refused", findings } : { kind: "tree", root };
}

type Parsing =
  | { readonly kind: "tokens"; readonly tokens: readonly CST.Token[] }
  | { readonly kind: "too-deep"; readonly offset: number }
  | { readonly kind: "too-many" };

/**
 * The library's syntax tokens, as long as what is open at once is no deeper than a file may be: what turns tokens into nodes recurses,
 * and what reads a mebibyte of open brackets to its end takes seconds.
 */
function parseTokens(text: string, lines: LineCounter): Parsing {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (let start = 0; start >= 0; start = text.indexOf("\n", start) + 1 || -1) lines.addNewLine(start);
  let errors = 0;
  const lexemes: string[] = [];
  for (const lexeme of new Lexer().lex(text)) if (lexemes.push(lexeme) > MAX_TOKENS) return { kind: "too-many" };
  for (const lexeme of lexemes) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "error") errors++;
    }
    if (errors >= MAX_SYNTAX_FINDINGS) break;
    // The document itself lies below its values.
    if (parser.stack.length > MAX_DEPTH + 1) return { kind: "too-deep", offset: parser.stack.at(-1)?.offset ?? 0 };
  }
  for (const token of parser.end()) tokens.push(token);
  return { kind: "tokens", tokens };
}
