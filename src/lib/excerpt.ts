const MAX_BYTES = 200;
/** Anything long enough and dense enough to be a credential: GitHub, Buildkite, AWS and JWT shapes all match. */
const TOKEN_SHAPED = /(?:gh[a-z]_|github_pat_|bk[a-z]{2}_|eyJ)[\w.+/=-]*|[\w+/=-]{32,}/g;

/**
 * What another service said, fit for a log or an audit entry: at most 200 bytes, control characters as spaces, anything shaped
 * like a token removed. Does not make the text safe for HTML or a shell.
 */
export function excerpt(text: string): string {
  // Cut generously first, so that a hostile megabyte costs nothing; a token cut here still matches by its start.
  const clean = text
    .slice(0, 4 * MAX_BYTES)
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replace(TOKEN_SHAPED, "[removed]");
  return cutToBytes(clean.toWellFormed(), MAX_BYTES);
}

/** `text` cut to `maxBytes` of UTF-8 at a character boundary, with `…` (3 bytes, included) when something is missing. */
export function cutToBytes(text: string, maxBytes: number): string {
  // A UTF-16 unit is at most 3 bytes of UTF-8: most strings need no counting.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  const scratch = new Uint8Array(maxBytes - 3);
  const { read } = new TextEncoder().encodeInto(text, scratch);
  return `${text.slice(0, read)}…`;
}
