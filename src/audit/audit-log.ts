import type { Clock } from "../lib/clock.ts";
import { renderAuditLine, renderCountLine } from "./audit-line.ts";
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

  const writeCount = (): void => {
    lines.append(renderCountLine(clock.nowMs(), unrecorded), "audit");
    unrecorded = 0;
  };

  return {
    request: (entry) => lines.append(renderAuditLine("audit_event", clock.nowMs(), entry), "audit"),
    replaceRequest: (waiting, entry) => waiting.replace(renderAuditLine("audit_event", clock.nowMs(), entry)),
    mint: (token) => lines.append(renderAuditLine("mint_event", clock.nowMs(), { token }), "audit"),
    revocation: (revocation) => lines.append(renderAuditLine("revoke_event", clock.nowMs(), revocation), "audit"),
    isOverfull: () => lines.pendingSize > OVERFULL_SIZE,
    countUnrecorded: () => {
      unrecorded += 1;
      if (unrecorded === 1) void lines.nextWritten().then(writeCount);
    },
  };
}
