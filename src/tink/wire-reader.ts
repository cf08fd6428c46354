import { decodeUtf8 } from "../lib/utf8.ts";
import { KeysetError } from "./keyset-error.ts";

/**
 * A protobuf field as it lies on the wire. Fixed-width fields and groups are checked and skipped: no message of ours has
 * them.
 */
export type WireField =
  | { readonly number: number; readonly kind: "varint"; readonly uint32: number }
  | { readonly number: number; readonly kind: "bytes"; readonly bytes: Uint8Array };

const MAX_FIELD_NUMBER = 2 ** 29 - 1;
/** Inside a group that is skipped anyway, protobuf-go allows more. */
const MAX_SKIPPED_FIELD_NUMBER = 2 ** 31 - 1;
const MAX_GROUP_DEPTH = 100;

/**
 * The fields of one message in their order, by the rules of protobuf-go: varints of at most ten bytes cut to 32 bits, length
 * limits, balanced groups, no field number 0. Unknown fields are the caller's to ignore. Bytes are views on `message`.
 *
 * Throws `KeysetError` (`keyset-malformed`) for anything else. Source: protobuf.dev/programming-guides/encoding.
 */
export function readWireFields(message: Uint8Array): WireField[] {
  const cursor: Cursor = { message, at: 0 };
  const fields: WireField[] = [];
  while (cursor.at < message.length) {
    const { number, type } = readTag(cursor, MAX_FIELD_NUMBER);
    if (type === 0) fields.push({ number, kind: "varint", uint32: Number(BigInt.asUintN(32, readVarint(cursor))) });
    else if (type === 2) fields.push({ number, kind: "bytes", bytes: readBytes(cursor) });
    else skip(cursor, number, type, 0);
  }
  return fields;
}

/** The last value of a varint field, 0 when absent. A field of another wire type is an unknown field. */
export function lastVarint(fields: readonly WireField[], number: number): number {
  let value = 0;
  for (const field of fields) if (field.number === number && field.kind === "varint") value = field.uint32;
  return value;
}

/** Every value of a bytes, string or message field, in order. */
export function allBytes(fields: readonly WireField[], number: number): Uint8Array[] {
  return fields.flatMap((field) => (field.number === number && field.kind === "bytes" ? [field.bytes] : []));
}

/** The last value of a bytes field, empty when absent. */
export function lastBytes(fields: readonly WireField[], number: number): Uint8Array {
  return allBytes(fields, number).at(-1) ?? new Uint8Array();
}

/** The fields of a sub-message; its occurrences merge, as protobuf says. Undefined when absent, which is not the same as empty. */
export function mergedMessage(fields: readonly WireField[], number: number): WireField[] | undefined {
  const occurrences = allBytes(fields, number);
  return occurrences.length === 0 ? undefined : occurrences.flatMap((occurrence) => readWireFields(occurrence));
}

/** The last value of a string field. Every value, also one that is overruled, has to be UTF-8. */
export function lastString(fields: readonly WireField[], number: number): string {
  let value = "";
  for (const bytes of allBytes(fields, number)) {
    const text = decodeUtf8(bytes);
    if (text === undefined) throw malformed("a string is not UTF-8");
    value = text;
  }
  return value;
}

interface Cursor {
  readonly message: Uint8Array;
  at: number;
}

function readTag(cursor: Cursor, maxNumber: number): { number: number; type: number } {
  const tag = readVarint(cursor);
  const number = Number(tag >> 3n);
  if (number < 1 || number > maxNumber) throw malformed("field number out of range");
  return { number, type: Number(tag & 7n) };
}

function readVarint(cursor: Cursor): bigint {
  let value = 0n;
  for (let index = 0; index < 10; index++) {
    const byte = cursor.message[cursor.at++];
    if (byte === undefined) throw malformed("truncated number");
    if (index === 9 && byte > 1) break;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return value;
  }
  throw malformed("number over 64 bits");
}

function readBytes(cursor: Cursor): Uint8Array {
  const length = readVarint(cursor);
  if (length > BigInt(cursor.message.length - cursor.at)) throw malformed("truncated field");
  const start = cursor.at;
  cursor.at += Number(length);
  return cursor.message.subarray(start, cursor.at);
}

function skip(cursor: Cursor, number: number, type: number, depth: number): void {
  if (type === 0) readVarint(cursor);
  else if (type === 1) advance(cursor, 8);
  else if (type === 2) readBytes(cursor);
  else if (type === 3) skipGroup(cursor, number, depth + 1);
  else if (type === 5) advance(cursor, 4);
  else throw malformed("group end without a start, or unknown wire type");
}

function skipGroup(cursor: Cursor, group: number, depth: number): void {
  if (depth > MAX_GROUP_DEPTH) throw malformed("groups too deep");
  for (;;) {
    const { number, type } = readTag(cursor, MAX_SKIPPED_FIELD_NUMBER);
    if (type === 4 && number === group) return;
    skip(cursor, number, type, depth);
  }
}

function advance(cursor: Cursor, count: number): void {
  if (count > cursor.message.length - cursor.at) throw malformed("truncated field");
  cursor.at += count;
}

function malformed(reason: string): KeysetError {
  return new KeysetError("keyset-malformed", `not a protobuf message: ${reason}`);
}
