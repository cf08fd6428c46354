const LONGEST = 200;

/** Text from outside made fit for a message: on one line, harmless to a terminal, and cut when it is long. */
export function printable(text: string): string {
  const escaped = escapeControls(text);
  return escaped.length > LONGEST ? `${escaped.slice(0, LONGEST)}…` : escaped;
}

/** Control, format and separator characters as `\\u{…}`, so that no text can move a cursor or begin a line. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
