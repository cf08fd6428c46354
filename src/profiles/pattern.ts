import { RE2JS, RE2JSSyntaxException } from "re2js";

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
 * compiled twice. What compiles alone and not wrapped (an open `\Q`) is refused.
 */
export function compilePattern(source: string): CompiledPattern {
  try {
    if (source.includes(")")) RE2JS.compile(source);
    const wrapped = RE2JS.compile(`\\A(?:${source})\\z`);
    return { kind: "pattern", pattern: { source, matches: (value) => wrapped.test(value) } };
  } catch (error) {
    return { kind: "invalid", reason: error instanceof RE2JSSyntaxException ? error.error : "cannot be compiled" };
  }
}
