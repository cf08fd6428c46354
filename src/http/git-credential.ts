import { decodeUtf8 } from "../lib/utf8.ts";

/**
 * git's credential format (git-scm.com/docs/git-credential, "Input/output format"), the subset that a helper needs: `key=value` lines up to the
 * first empty line. Lines without `=` or with an empty key are skipped, the last of a repeated key counts, CRLF line ends are accepted.
 */
export interface GitCredentialRequest {
  /** Undefined when git sent none; may be empty. */
  readonly protocol: string | undefined;
  readonly host: string | undefined;
  readonly path: string | undefined;
}

/** Undefined when the bytes are not UTF-8, or a value holds what could not be written back in the format: NUL, a lone CR. */
export function parseGitCredential(bytes: Uint8Array): GitCredentialRequest | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined) return undefined;
  const values = new Map<string, string>();
  for (const raw of text.split("\n")) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line === "") break;
    const equals = line.indexOf("=");
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const request = { protocol: values.get("protocol"), host: values.get("host"), path: values.get("path") };
  return Object.values(request).every(isWritable) ? request : undefined;
}

/** Lines of the format, with the empty one that ends it. Throws `TypeError` for a value that cannot be written. */
export function renderGitCredential(pairs: readonly (readonly [key: string, value: string])[]): string {
  let text = "";
  for (const [key, value] of pairs) {
    if (!isWritable(value)) throw new TypeError(`the value of ${key} cannot be written in git's credential format`);
    text += `${key}=${value}\n`;
  }
  return `${text}\n`;
}

function isWritable(value: string | undefined): boolean {
  return value === undefined || !(value.includes("\n") || value.includes("\r") || value.includes("\0"));
}
