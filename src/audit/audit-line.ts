import { cutToBytes } from "../lib/excerpt.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import type { AuditEntry, AuditRevocation, AuditToken } from "./entry.ts";

/** Container log drivers split lines at 16 KiB; this leaves room for what they and the stamp add. */
const MAX_LINE_BYTES = 12 * 1024 - 128;

/** Tried in turn until the line fits: escapes can make a cut string six times as long. */
const LIMITS = [
  { stringBytes: 512, listItems: 100 },
  { stringBytes: 128, listItems: 20 },
  { stringBytes: 48, listItems: 4 },
] as const;

/** JSON escapes C0 itself; these are the other characters that a log viewer may act upon. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/** A string so short fits its limit whatever characters it has: UTF-8 takes at most 3 bytes for a UTF-16 unit. */
const SHORT_STRING = 170;

export type AuditMessage = "audit_event" | "mint_event" | "revoke_event";

/**
 * One audit line as JSON without its closing brace: the writer closes it with instance and sequence. Never over 12 KiB: strings are
 * cut to 512 bytes with `…`, lists to 100 items with a last item that tells how many are missing.
 */
export function renderAuditLine(
  message: AuditMessage,
  nowMs: number,
  entry: AuditEntry | AuditRevocation | { readonly token: AuditToken },
): string {
  const head = { level: "audit", time: formatEpochSeconds(nowMs / 1000), type: "audit", message };
  let line = "";
  if (hasNothingToCut(entry)) {
    line = JSON.stringify({ ...head, ...entry }).slice(0, -1);
    // Short as it is, and without a character to escape: nearly every line.
    if (line.length * 3 <= MAX_LINE_BYTES && line.search(UNSAFE) === -1) return line;
  }
  for (const limits of LIMITS) {
    line = JSON.stringify({ ...head, ...entry }, cutter(limits))
      .replace(UNSAFE, escape)
      .slice(0, -1);
    if (line.length * 3 <= MAX_LINE_BYTES || Buffer.byteLength(line) <= MAX_LINE_BYTES) break;
  }
  return line;
}

/** The line that stands for requests which were refused while standard output was stuck and too many lines waited already. */
export function renderCountLine(nowMs: number, refusedRequests: number): string {
  const line = {
    level: "audit",
    time: formatEpochSeconds(nowMs / 1000),
    type: "audit",
    message: "audit_refusals",
    refusedRequests,
  };
  return JSON.stringify(line).slice(0, -1);
}

/** Looking first is much cheaper than a replacer, which `JSON.stringify` calls for every member. */
function hasNothingToCut(value: unknown): boolean {
  if (typeof value === "string") return value.length <= SHORT_STRING && value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.length <= LIMITS[0].listItems && value.every(hasNothingToCut);
  return Object.values(value).every(hasNothingToCut);
}

function cutter(limits: (typeof LIMITS)[number]): (key: string, value: unknown) => unknown {
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
