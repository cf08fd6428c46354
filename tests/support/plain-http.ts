import type { AuditLog } from "../../src/audit/audit-log.ts";
import type { PendingLine } from "../../src/audit/output-lines.ts";
import type { HttpSettings } from "../../src/http/services.ts";

/** Nothing in front of the service, github.com behind it, and room for every request of a test. */
export const PLAIN_HTTP: HttpSettings = {
  basePath: "",
  maxInFlight: 1000,
  trustedProxyHops: 0,
  discloseAppIdentifiers: false,
  gitHubWebUrl: new URL("https://github.com"),
  protectedRepository: "policy",
};

/** Of a line that is on its way at once. */
export const WRITTEN: PendingLine = {
  written: Promise.resolve(),
  tell: (waiter) => queueMicrotask(() => waiter.onDeparture(true)),
  replace: () => false,
};

/** Takes every line at once and keeps none. */
export const SILENT_AUDIT: AuditLog = {
  request: () => WRITTEN,
  replaceRequest: () => false,
  mint: () => WRITTEN,
  revocation: () => WRITTEN,
  isOverfull: () => false,
  countUnrecorded: () => undefined,
};
