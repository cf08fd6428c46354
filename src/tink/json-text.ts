import { decodeUtf8 } from "../lib/utf8.ts";
import { KeysetError } from "./keyset-error.ts";

/** A JSON document that hides nothing: repeated names stay, numbers keep their spelling. */
export type JsonNode =
  | { readonly kind: "object"; readonly entries: readonly (readonly [name: string, value: JsonNode])[] }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly spelling: string }
  | { readonly kind: "boolean" }
  | { readonly kind: "null" };

/** Keysets are three levels deep. What is deeper cannot be one and may not use up the stack. */
const MAX_DEPTH = 16;
/** Finds a string's end only; what is legal inside is for JSON.parse to say. Written without alternation: values are long. */
const STRING = /"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![-+.\w])/y;
const LITERAL = /(?:true|false|null)(?![-+.\w])/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * Reads exactly one JSON document (RFC 8259) in UTF-8. Unlike `JSON.parse` it keeps duplicate names for its caller to refuse,
 * does not round numbers, and refuses a byte-order mark and unpaired surrogates, as tink-go does.
 *
 * Throws `KeysetError` (`keyset-malformed`) that tells where, and nothing of what stands there.
 */
export function parseJsonText(document: Uint8Array): JsonNode {
  const cursor: Cursor = { text: decode(document), at: 0 };
  const node = readValue(cursor, 0);
  take(cursor, SPACE);
  if (cursor.at < cursor.text.length) throw malformed(cursor);
  return node;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function readValue(cursor: Cursor, depth: number): JsonNode {
  take(cursor, SPACE);
  if (depth > MAX_DEPTH) throw malformed(cursor);
  const next = cursor.text[cursor.at];
  if (next === "{") return readObject(cursor, depth);
  if (next === "[") return readArray(cursor, depth);
  if (next === '"') return { kind: "string", value: readString(cursor) };
  const number = take(cursor, NUMBER);
  if (number !== undefined) return { kind: "number", spelling: number };
  const literal = take(cursor, LITERAL);
  if (literal === undefined) throw malformed(cursor);
  return literal === "null" ? { kind: "null" } : { kind: "boolean" };
}

function readObject(cursor: Cursor, depth: number): JsonNode {
  const entries: (readonly [string, JsonNode])[] = [];
  readList(cursor, "}", () => {
    const name = readString(cursor);
    if (!takeSign(cursor, ":")) throw malformed(cursor);
    entries.push([name, readValue(cursor, depth + 1)]);
  });
  return { kind: "object", entries };
}

function readArray(cursor: Cursor, depth: number): JsonNode {
  const items: JsonNode[] = [];
  readList(cursor, "]", () => items.push(readValue(cursor, depth + 1)));
  return { kind: "array", items };
}

function readList(cursor: Cursor, end: "}" | "]", readItem: () => void): void {
  cursor.at++;
  if (takeSign(cursor, end)) return;
  do {
    take(cursor, SPACE);
    readItem();
  } while (takeSign(cursor, ","));
  if (!takeSign(cursor, end)) throw malformed(cursor);
}

function readString(cursor: Cursor): string {
  const start = cursor.at;
  const value = unquote(take(cursor, STRING));
  if (value === undefined) throw malformed({ text: cursor.text, at: start });
  return value;
}

function unquote(quoted: string | undefined): string | undefined {
  if (quoted === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === "string" && value.isWellFormed() ? value : undefined;
  } catch {
    return undefined;
  }
}

function takeSign(cursor: Cursor, sign: string): boolean {
  take(cursor, SPACE);
  if (cursor.text[cursor.at] !== sign) return false;
  cursor.at++;
  return true;
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  const sticky = new RegExp(pattern);
  sticky.lastIndex = cursor.at;
  const match = sticky.exec(cursor.text)?.[0];
  if (match !== undefined) cursor.at += match.length;
  return match;
}

function decode(document: Uint8Array): string {
  const text = decodeUtf8(document);
  if (text === undefined) throw new KeysetError("keyset-malformed", "not UTF-8 text");
  return text;
}

function malformed({ text, at }: Cursor): KeysetError {
  const reason = at >= text.length ? "ends too early" : `unexpected at character ${at + 1}`;
  return new KeysetError("keyset-malformed", `not a JSON document: ${reason}`);
}
