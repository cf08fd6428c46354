import { RE2JS, RE2JSSyntaxException } from "re2js";
import { estimatePatternCost, estimatePatternSize } from "./pattern-size.ts";

/** Of one pattern, as `estimatePatternSize` counts: a list of some ten thousand names. */
const MAX_PATTERN_SIZE = 250_000;

/** Of one pattern, as `estimatePatternCost` counts. RE2 alone would take 1,400,000, seconds and gigabytes of it. */
export const MAX_PATTERN_COST = 25_000;

/** A `valuePattern`, compiled. */
export interface WholeValuePattern {
  /** As the profile has it. */
  readonly source: string;
  /** Whether the pattern matches the whole value, in time linear in its length. */
  readonly matches: (value: string) => boolean;
}

export type CompiledPattern =
  | { readonly kind: "pattern"; readonly pattern: WholeValuePattern }
  | { readonly kind: "invalid"; readonly reason: string };

/**
 * Compiles RE2 syntax to match whole values: as if wrapped in `\A(?:` and `)\z`.
 *
 * The pattern alone must compile too, so that `a)(b` is refused and cannot close the group; the group keeps the anchors on both
 * sides of `main|develop`. A pattern without `)` cannot close it: where the whole compiles, what is inside does, and is not
 * compiled twice. What compiles alone and not wrapped (an open `\Q`) is refused, and what RE2 would make too much of.
 */
export function compilePattern(source: string): CompiledPattern {
  if (estimatePatternSize(source) > MAX_PATTERN_SIZE || estimatePatternCost(source) > MAX_PATTERN_COST) {
    return { kind: "invalid", reason: "expression too large" };
  }
  try {
    if (source.includes(")")) RE2JS.compile(source);
    const wrapped = RE2JS.compile(`\\A(?:${source})\\z`);
    return { kind: "pattern", pattern: { source, matches: (value) => wrapped.test(value) } };
  } catch (error) {
    return { kind: "invalid", reason: error instanceof RE2JSSyntaxException ? error.error : "cannot be compiled" };
  }
}
