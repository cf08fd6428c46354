import { cutToBytes } from "../lib/excerpt.ts";

export interface CutLimits {
  readonly stringBytes: number;
  readonly listItems: number;
}

/** What a string or list that a caller supplied may take of a line, as long as the line has room. */
export const WIDEST: CutLimits = { stringBytes: 512, listItems: 100 };

/** JSON escapes C0 itself; these are the other characters that a log viewer may act upon. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/** In JSON: one of them, or a surrogate without its other half, which is written as an escape. */
const UNUSUAL = /[\u007f-\u009f\u2028\u2029]|\\ud/;

/** A string so short fits its limit whatever characters it has: UTF-8 takes at most 3 bytes for a UTF-16 unit. */
const SHORT_STRING = 170;

/** An object's members as JSON without its braces; strings and lists cut, nothing in it that a terminal would act upon. */
export function renderMembers(members: object, limits: CutLimits = WIDEST): string {
  if (limits === WIDEST && hasNothingToCut(members)) {
    const json = JSON.stringify(members);
    // Short as it is, and without a character to escape: nearly every one.
    if (!UNUSUAL.test(json)) return json.slice(1, -1);
  }
  return JSON.stringify(members, cutter(limits)).replace(UNSAFE, escape).slice(1, -1);
}

/** Looking first is much cheaper than a replacer, which `JSON.stringify` calls for every member. */
function hasNothingToCut(value: unknown): boolean {
  if (typeof value === "string") return value.length <= SHORT_STRING;
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.length <= WIDEST.listItems && value.every(hasNothingToCut);
  return Object.values(value).every(hasNothingToCut);
}

function cutter(limits: CutLimits): (key: string, value: unknown) => unknown {
  return (_key, value) => {
    if (typeof value === "string") return cutToBytes(value.toWellFormed(), limits.stringBytes);
    if (Array.isArray(value) && value.length > limits.listItems) {
      const kept: unknown[] = value.slice(0, limits.listItems);
      return [...kept, `… and ${value.length - limits.listItems} more`];
    }
    return value;
  };
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
