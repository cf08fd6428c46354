import { formatEpochSeconds } from "../lib/rfc3339.ts";
import type { AuditEntry, AuditRevocation, AuditToken, AuditTokenParts } from "./entry.ts";
import { renderMembers, type CutLimits } from "./render-members.ts";

/** Container log drivers split lines at 16 KiB; this leaves room for what they and the stamp add. */
const MAX_LINE_BYTES = 12 * 1024 - 128;

/** Tried in turn until the line fits: escapes can make a cut string six times as long. */
const NARROWER: readonly CutLimits[] = [
  { stringBytes: 128, listItems: 20 },
  { stringBytes: 48, listItems: 4 },
];

/**
 * The line of one request as JSON without its closing brace: the writer closes it with instance and sequence. Never over 12 KiB: strings
 * are cut to 512 bytes with `…`, lists to 100 items with a last item that tells how many are missing.
 */
export function renderRequestLine(time: string, entry: AuditEntry): string {
  return fit(`${head(time, "audit_event")},${membersOf(entry)}`, time, "audit_event", () => flatten(entry));
}

/** The line of what happened to a token in the background; in the same form. */
export function renderTokenLine(
  time: string,
  message: "mint_event" | "revoke_event",
  event: AuditRevocation | { readonly token: AuditToken },
): string {
  return fit(`${head(time, message)},${renderMembers(event)}`, time, message, () => event);
}

/** The line that stands for requests which were refused while standard output was stuck and too many lines waited already. */
export function renderCountLine(time: string, refusedRequests: number): string {
  return `${head(time, "audit_refusals")},"refusedRequests":${refusedRequests}`;
}

/** As audit lines have it. */
export function renderTime(nowMs: number): string {
  return formatEpochSeconds(nowMs / 1000);
}

function head(time: string, message: string): string {
  return `{"level":"audit","time":"${time}","type":"audit","message":"${message}"`;
}

function fit(line: string, time: string, message: string, members: () => object): string {
  if (isShort(line)) return line;
  for (const limits of NARROWER) {
    const narrower = `${head(time, message)},${renderMembers(members(), limits)}`;
    if (isShort(narrower) || limits === NARROWER.at(-1)) return narrower;
  }
  return line;
}

function isShort(line: string): boolean {
  return line.length * 3 <= MAX_LINE_BYTES || Buffer.byteLength(line) <= MAX_LINE_BYTES;
}

/** The same as rendering `flatten(entry)`, but what is shared with other entries is there already. */
function membersOf({ request, traceId, caller, token, error }: AuditEntry): string {
  let text = `"request":{${renderMembers(request)}}`;
  if (traceId !== undefined) text += `,"traceId":"${traceId}"`;
  text +=
    caller === undefined
      ? ',"authorization":{"authorized":false}'
      : `,${caller.part.json},"expiryRemaining":${caller.expiryRemaining}}`;
  if (token !== undefined) text += `,"token":{${tokenMembers(token)}}`;
  return error === undefined ? text : `${text},${renderMembers({ error })}`;
}

function tokenMembers({ asked, resolved, judged, vended, now }: AuditTokenParts): string {
  let text = asked === undefined ? "" : renderMembers(asked);
  const add = (members: string): void => {
    text += text === "" ? members : `,${members}`;
  };
  if (resolved !== undefined) add(resolved.json);
  if (judged !== undefined) add(judged.json);
  if (vended !== undefined) add(vended.json);
  if (now !== undefined) add(`"expiryRemaining":${now.expiryRemaining},"source":"${now.source}"`);
  return text;
}

function callerMembers({ part, expiryRemaining }: NonNullable<AuditEntry["caller"]>): object {
  const { pipeline, authorization } = part.members;
  return { pipeline, authorization: { ...authorization, expiryRemaining } };
}

function flatten({ caller, token, ...entry }: AuditEntry): object {
  return {
    ...entry,
    ...(caller === undefined ? { authorization: { authorized: false } } : callerMembers(caller)),
    ...(token === undefined
      ? {}
      : {
          token: {
            ...token.asked,
            ...token.resolved?.members,
            ...token.judged?.members,
            ...token.vended?.members,
            ...token.now,
          },
        }),
  };
}
