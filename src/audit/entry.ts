import type { AuditPart, OpenAuditPart } from "./audit-part.ts";

/** What an audit line tells of one request. Fields that do not apply are absent; texts are raw and cut when the line is made. */
export interface AuditEntry {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly sourceIP: string;
    readonly userAgent: string;
    readonly id: string;
    readonly durationMs: number;
    readonly forwardedFor?: string;
  };
  /** With tracing on. */
  readonly traceId?: string | undefined;
  /** Once the JWT has verified; present beside a refusal by match rules. */
  readonly caller?: (AuditCaller & { readonly expiryRemaining: number }) | undefined;
  readonly token?: AuditTokenParts | undefined;
  readonly error?: string | undefined;
}

/** Who asks, the same object for each request with the same JWT. */
export interface AuditCaller {
  /** `expiryRemaining` goes into the last member. */
  readonly part: OpenAuditPart<{
    readonly pipeline: {
      readonly organizationSlug: string;
      readonly pipelineSlug: string;
      readonly jobID: string;
      readonly buildNumber: number;
      readonly buildBranch: string;
    };
    readonly authorization: {
      readonly authorized: true;
      readonly subject: string;
      readonly issuer: string;
      readonly audience: readonly string[];
      readonly expiry: string;
    };
  }>;
}

/** Of a token at the moment when it is handed out. */
export interface AuditHandover {
  readonly expiryRemaining: number;
  readonly source: "memory" | "valkey" | "github";
}

/** What is known of the token, in the order in which it becomes known. No field is in two parts. */
export interface AuditTokenParts {
  readonly asked?: AuditToken | undefined;
  readonly resolved?: AuditPart<AuditToken> | undefined;
  readonly judged?: AuditPart<AuditToken> | undefined;
  readonly vended?: AuditPart<AuditToken> | undefined;
  readonly now?: AuditHandover | undefined;
}

/** What an audit line tells of one token that was to be taken back. */
export interface AuditRevocation {
  readonly token: AuditToken;
  /** `already-invalid`: GitHub no longer knew it. `given-up`: it lives until it expires. */
  readonly outcome: "revoked" | "already-invalid" | "given-up";
  readonly error?: string;
}

export interface AuditToken {
  readonly requestedProfile?: string;
  readonly requestedRepository?: string;
  readonly vendedRepository?: string;
  readonly app?: string;
  readonly applicationID?: number;
  readonly installationID?: number;
  readonly repositories?: readonly string[];
  readonly permissions?: readonly string[];
  readonly hashedToken?: string;
  readonly expiry?: string;
  readonly expiryRemaining?: number;
  readonly matches?: readonly { readonly claim: string; readonly value: string }[];
  readonly attemptedPatterns?: readonly { readonly claim: string; readonly pattern: string; readonly value: string }[];
  readonly source?: "memory" | "valkey" | "github";
  readonly profileDigest?: string;
}
