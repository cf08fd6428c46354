import type { AuditLog } from "../audit/audit-log.ts";
import type { GitHubApp } from "../github/app.ts";
import type { Clock } from "../lib/clock.ts";
import type { Verifier } from "../oidc/buildkite-identity.ts";
import type { PolicyGeneration } from "../profiles/policy.ts";
import type { Vend } from "../vending/vend.ts";

/** What the request pipeline works with; made in `app/`. */
export interface Services {
  readonly verifier: Verifier;
  /** The generation in force; read once a request. */
  readonly policy: () => PolicyGeneration;
  readonly defaultApp: GitHubApp;
  readonly vend: Vend;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly newRequestId: () => string;
  /** A fault that nobody expected; for the operational log. */
  readonly onUnexpected: (error: unknown) => void;
  readonly basePath: string;
  readonly discloseAppIdentifiers: boolean;
}
