import type { Clock } from "../lib/clock.ts";
import { renderAuditLine } from "./audit-line.ts";
import type { AuditEntry, AuditToken } from "./entry.ts";
import type { OutputLines, PendingLine } from "./output-lines.ts";

/** Where requests and mints leave their evidence. Nothing switches it off, filters or samples it. */
export interface AuditLog {
  /** Hands over the line of one request. The reply may leave once `written` has resolved, not before. */
  readonly request: (entry: AuditEntry) => PendingLine;
  /** The line of a token that was minted in the background, before it is stored. */
  readonly mint: (token: AuditToken) => PendingLine;
}

export function createAuditLog(lines: OutputLines, clock: Clock): AuditLog {
  return {
    request: (entry) => lines.append(renderAuditLine("audit_event", clock.nowMs(), entry), "audit"),
    mint: (token) => lines.append(renderAuditLine("mint_event", clock.nowMs(), { token }), "audit"),
  };
}
