import { decodeUtf8 } from "../lib/utf8.ts";

/** A JSON object as `JSON.parse` gives it. `__proto__` is a plain member here, never the prototype. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * One JSON object (RFC 8259) in UTF-8 without a byte-order mark, in which no top-level member stands twice.
 *
 * `JSON.parse` silently keeps the last of two equal members, where another reader keeps the first: a token must not mean two
 * things. Members of nested objects are not checked: nobody reads them. Undefined when it is anything else.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    // Equal names collapse into one, however they are escaped, so the counts differ exactly when one was repeated.
    return countTopLevelMembers(text) === Object.keys(value).length ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** `{` and `[`, `}` and `]` differ in this bit alone. */
const BRACE_BIT = 0x20;
const OPENING = 0x5b;
const CLOSING = 0x5d;

/** Counts the colons of the outermost object. Only for text that `JSON.parse` has accepted. */
function countTopLevelMembers(json: string): number {
  let depth = 0;
  let members = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (code === COLON && depth === 1) members++;
    else if ((code & ~BRACE_BIT) === OPENING) depth++;
    else if ((code & ~BRACE_BIT) === CLOSING) depth--;
  }
  return members;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}
