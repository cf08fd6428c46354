import type { Finding, Position } from "./finding.ts";

/** The largest profile file; also GitHub's own limit for a file that its contents API returns whole. */
export const MAX_PROFILE_FILE_BYTES = 1024 * 1024;

export type SourceText =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "refused"; readonly finding: Finding };

/**
 * The file as text: UTF-8 with or without a byte-order mark, only characters that YAML 1.2 calls printable (section 5.1),
 * lines ended by LF or CRLF. A lone CR is refused (YAML counts it as a line end, many editors do not show it as one), and
 * so is a byte-order mark anywhere else.
 */
export function decodeSource(bytes: Uint8Array): SourceText {
  if (bytes.byteLength > MAX_PROFILE_FILE_BYTES) {
    return refuse("file-too-large", `the file is larger than ${MAX_PROFILE_FILE_BYTES} bytes`);
  }
  if (isUtf16(bytes)) return refuse("not-utf8", "the file is UTF-16, not UTF-8");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return refuseEncoding(bytes);
  }
  const index = text.search(UNPRINTABLE);
  if (index < 0) return { kind: "text", text };
  const code = (text.codePointAt(index) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return refuse("control-character", `the character U+${code} may not stand in a YAML file`, positionOf(text, index));
}

/** By its mark, or by the half of its first character that is nothing: mostly files begin with ASCII. */
function isUtf16([first, second]: Uint8Array): boolean {
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return second !== undefined && (first === 0) !== (second === 0);
}

/** Points at the first byte that is wrong. */
function refuseEncoding(bytes: Uint8Array): SourceText {
  const text = new TextDecoder().decode(bytes);
  return refuse("not-utf8", "the file is not UTF-8 text: this byte is of another encoding", findMended(bytes, text));
}

/** Where decoding had to put a replacement character, and the file has none of its own. */
function findMended(bytes: Uint8Array, text: string): Position {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let offset = hasMark ? 3 : 0;
  let from = 0;
  for (let index = text.indexOf(REPLACEMENT); index >= 0; index = text.indexOf(REPLACEMENT, from)) {
    offset += Buffer.byteLength(text.slice(from, index));
    const isOwn = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd;
    if (!isOwn) return positionOf(text, index);
    offset += REPLACEMENT_BYTES;
    from = index + 1;
  }
  return { line: 1, column: 1 };
}

const REPLACEMENT = "\uFFFD";
const REPLACEMENT_BYTES = 3;

function positionOf(text: string, index: number): Position {
  const before = text.slice(0, index);
  return { line: before.split("\n").length, column: index - before.lastIndexOf("\n") };
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNPRINTABLE = /\r(?!\n)|[^\t\n\r\x20-\x7E\x85\u00A0-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD\u{10000}-\u{10FFFF}]/u;

function refuse(
  code: "file-too-large" | "not-utf8" | "control-character",
  message: string,
  at: Position = { line: 1, column: 1 },
): SourceText {
  return { kind: "refused", finding: { severity: "error", code, message, ...at } };
}
