import type { Finding } from "./finding.ts";

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
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return refuse("not-utf8", "the file is not UTF-8 text; save it as UTF-8");
  }
  const index = text.search(UNPRINTABLE);
  if (index < 0) return { kind: "text", text };
  const before = text.slice(0, index);
  const code = (text.codePointAt(index) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return refuse("control-character", `the character U+${code} may not stand in a YAML file`, {
    line: before.split("\n").length,
    column: index - before.lastIndexOf("\n"),
  });
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNPRINTABLE = /\r(?!\n)|[^\t\n\r\x20-\x7E\x85\u00A0-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD\u{10000}-\u{10FFFF}]/u;

function refuse(
  code: "file-too-large" | "not-utf8" | "control-character",
  message: string,
  at = { line: 1, column: 1 },
): SourceText {
  return { kind: "refused", finding: { severity: "error", code, message, ...at } };
}
