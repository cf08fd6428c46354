import type { Clock } from "../lib/clock.ts";
import { renderCountLine, renderRequestLine, renderTime, renderTokenLine } from "./audit-line.ts";
import type { AuditEntry, AuditRevocation, AuditToken } from "./entry.ts";
import { OVERFULL_SIZE, type OutputLines, type PendingLine } from "./output-lines.ts";

/** Where requests and mints leave their evidence. Nothing switches it off, filters or samples it. */
export interface AuditLog {
  /** Hands over the line of one request. The reply may leave once `written` has resolved, not before. */
  readonly request: (entry: AuditEntry) => PendingLine;
  /** Puts another entry in the place of one that still waits; false when it is on its way already. */
  readonly replaceRequest: (waiting: PendingLine, entry: AuditEntry) => boolean;
  /** The line of a token that was minted in the background, before it is stored. */
  readonly mint: (token: AuditToken) => PendingLine;
  /** The line of a token that was to be taken back at GitHub. */
  readonly revocation: (revocation: AuditRevocation) => PendingLine;
  /** More lines wait than may: a request must be refused, and only counted. */
  readonly isOverfull: () => boolean;
  /** Counts a refused request into the one line that follows as soon as lines leave again. */
  readonly countUnrecorded: () => void;
}

export function createAuditLog(lines: OutputLines, clock: Clock): AuditLog {
  let unrecorded = 0;
  let second = Number.NaN;
  let time = "";

  /** Thousands of lines have the same second. */
  const now = (): string => {
    const nowMs = clock.nowMs();
    const itsSecond = Math.floor(nowMs / 1000);
    if (itsSecond !== second) {
      second = itsSecond;
      time = renderTime(nowMs);
    }
    return time;
  };
  const writeCount = (): void => {
    lines.append(renderCountLine(now(), unrecorded), "audit");
    unrecorded = 0;
  };

  return {
    request: (entry) => lines.append(renderRequestLine(now(), entry), "audit"),
    replaceRequest: (waiting, entry) => waiting.replace(renderRequestLine(now(), entry)),
    mint: (token) => lines.append(renderTokenLine(now(), "mint_event", { token }), "audit"),
    revocation: (revocation) => lines.append(renderTokenLine(now(), "revoke_event", revocation), "audit"),
    isOverfull: () => lines.pendingSize > OVERFULL_SIZE,
    countUnrecorded: () => {
      unrecorded += 1;
      if (unrecorded === 1) void lines.nextWritten().then(writeCount);
    },
  };
}
