import { Lexer } from "yaml";
import type { Position } from "./finding.ts";

/** How many UTF-16 units the token has that begins at a position, as far as it stands on that line; 1 where none begins. */
export type ExtentReader = (at: Position) => number;

/** What the lexer says of the structure, in place of source text. */
const MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001F"]);

/**
 * Reads the lengths of what findings point at, for underlining it. Takes broken YAML too: it is lexed, not parsed, and no further than
 * to the last position that was asked for.
 */
export function createExtentReader(text: string): ExtentReader {
  const lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  const lexemes = new Lexer().lex(text);
  const lengths = new Map<number, number>();
  let lexedTo = 0;
  return ({ line, column }) => {
    const wanted = (lineStarts[line - 1] ?? text.length) + column - 1;
    while (lexedTo <= wanted) {
      const { value: lexeme, done } = lexemes.next();
      if (done === true) break;
      if (MARKS.has(lexeme)) continue;
      lengths.set(lexedTo, /^[^\r\n]*/.exec(lexeme)?.[0].trimEnd().length ?? 1);
      lexedTo += lexeme.length;
    }
    return Math.max(1, lengths.get(wanted) ?? 1);
  };
}
