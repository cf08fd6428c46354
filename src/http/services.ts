import type { AuditLog } from "../audit/audit-log.ts";
import type { GitHubApp } from "../github/app.ts";
import type { InstallationAccount } from "../github/installations.ts";
import type { Clock } from "../lib/clock.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import type { Verifier } from "../oidc/buildkite-identity.ts";
import type { PolicyGeneration } from "../profiles/policy.ts";
import type { Vend } from "../vending/vend.ts";
import type { Caller } from "./caller.ts";
import type { KnownTokens } from "./known-tokens.ts";
import type { RequestObserver } from "./request-observer.ts";

/** The Apps of this moment. */
export interface AppDirectory {
  /** Undefined for a name that is not configured, and for an App that is out of use: the same to a caller. */
  readonly find: (name: string) => GitHubApp | undefined;
  /** Whose repositories the App may hand out; a promise only while that is not known. */
  readonly account: (app: GitHubApp) => MaybePromise<InstallationAccount>;
}

/** The policy of this moment, or why there is none that may be used. */
export type PolicyInForce =
  | { readonly kind: "generation"; readonly generation: PolicyGeneration }
  | { readonly kind: "unusable"; readonly cause: string };

/** What the request pipeline works with; made in `app/`. */
export interface Services {
  readonly verifier: Verifier<Caller>;
  /** Read once a request: every later step uses that one value. */
  readonly policy: () => PolicyInForce;
  readonly apps: AppDirectory;
  readonly vend: Vend;
  readonly audit: AuditLog;
  readonly knownTokens: KnownTokens;
  readonly clock: Clock;
  readonly newRequestId: () => string;
  /** A fault that nobody expected; for the operational log. */
  readonly onUnexpected: (error: unknown) => void;
  /** Absent while telemetry is off: a request then does nothing for it. */
  readonly observer?: RequestObserver;
  readonly settings: HttpSettings;
}

export interface HttpSettings {
  readonly basePath: string;
  readonly maxInFlight: number;
  readonly trustedProxyHops: number;
  readonly discloseAppIdentifiers: boolean;
  /** The web URL whose host repositories have. */
  readonly gitHubWebUrl: URL;
  /** The repository that holds the policy, where a caller-scoped profile must not write. */
  readonly protectedRepository: string | undefined;
}
