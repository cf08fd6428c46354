import type { JsonNode } from "./json-text.ts";
import { KeysetError } from "./keyset-error.ts";

/** The fields of one message by JSON name. Null counts as absent, as in protobuf's JSON. */
export type JsonFields<Name extends string> = ReadonlyMap<Name, JsonNode>;

/**
 * Takes an object for a message with exactly these fields, each under its JSON name or its protobuf name (`keyId`, `key_id`),
 * but not under both and not twice.
 *
 * `place` is where the object stands, for the message. Throws `KeysetError` (`keyset-malformed`).
 */
export function readFields<Name extends string>(
  node: JsonNode,
  place: string,
  names: readonly Name[],
): JsonFields<Name> {
  if (node.kind !== "object") throw malformed(place, "must be an object");
  const fields = new Map<Name, JsonNode>();
  const seen = new Set<Name>();
  for (const [spelling, value] of node.entries) {
    const name = names.find((candidate) => candidate === spelling || snakeCase(candidate) === spelling);
    if (name === undefined) throw malformed(join(place, printable(spelling)), "is not a field of a keyset");
    if (seen.has(name)) throw malformed(join(place, name), "is there twice");
    seen.add(name);
    if (value.kind !== "null") fields.set(name, value);
  }
  return fields;
}

/** A uint32, 0 when absent, as number or string; `1.0` and `10e-1` are 1, as protobuf's JSON has it. */
export function readUint32(node: JsonNode | undefined, place: string): number {
  if (node === undefined) return 0;
  const spelling = node.kind === "string" ? node.value : node.kind === "number" ? node.spelling : "";
  const value = parseInteger(spelling);
  if (value === undefined || value < 0n || value > 0xffff_ffffn) throw malformed(place, "must be 0 to 4294967295");
  return Number(value);
}

/** An enum, 0 when absent, as one of `names` (the index is the number) or as any int32. */
export function readEnum(node: JsonNode | undefined, place: string, names: readonly string[]): number {
  if (node === undefined) return 0;
  if (node.kind === "string" && names.includes(node.value)) return names.indexOf(node.value);
  const value = node.kind === "number" ? parseInteger(node.spelling) : undefined;
  if (value === undefined || BigInt.asIntN(32, value) !== value)
    throw malformed(place, `must be one of ${names.join(", ")}`);
  return Number(value);
}

export function readString(node: JsonNode | undefined, place: string): string {
  if (node === undefined) return "";
  if (node.kind !== "string") throw malformed(place, "must be a string");
  return node.value;
}

/** Bytes, empty when absent, in base64 of either alphabet, padded or not; bits left over are ignored, white space is not. */
export function readBase64(node: JsonNode | undefined, place: string): Uint8Array {
  const text = readString(node, place);
  const unpadded = text.length % 4 === 0 ? text.replace(/={1,2}$/, "") : text;
  const legal = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)$/.test(unpadded) && unpadded.length % 4 !== 1;
  if (!legal) throw malformed(place, "must be base64");
  return new Uint8Array(Buffer.from(unpadded, "base64"));
}

export function malformed(field: string, reason: string): KeysetError {
  return new KeysetError("keyset-malformed", reason, field === "" ? {} : { field });
}

/** The integer that a JSON number spells, however it spells it; undefined for others and for more than 20 digits. */
function parseInteger(spelling: string): bigint | undefined {
  const parts = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(spelling);
  if (parts === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts;
  const significant = fraction.replace(/0+$/, "");
  if (whole === "0" && significant === "") return 0n;
  const shift = Number(exponent) - significant.length;
  const digits = whole + significant;
  if (digits.length + shift > 20 || digits.length + shift < 1) return undefined;
  if (shift < 0 && !/^0+$/.test(digits.slice(shift))) return undefined;
  const value = BigInt(shift < 0 ? digits.slice(0, shift) : digits + "0".repeat(shift));
  return sign === "-" ? -value : value;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A name from the document may be anything, a key that was pasted there too: only short words are repeated. */
function printable(name: string): string {
  return /^[A-Za-z_.@$]{1,20}$/.test(name) ? name : "(a name that is no field's)";
}

function join(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}
