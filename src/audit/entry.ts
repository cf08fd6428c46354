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
  readonly traceId?: string;
  readonly pipeline?: {
    readonly organizationSlug: string;
    readonly pipelineSlug: string;
    readonly jobID: string;
    readonly buildNumber: number;
    readonly buildBranch: string;
  };
  readonly authorization: {
    /** That the JWT verified; true beside a refusal by match rules. */
    readonly authorized: boolean;
    readonly subject?: string;
    readonly issuer?: string;
    readonly audience?: readonly string[];
    readonly expiry?: string;
    readonly expiryRemaining?: number;
  };
  readonly token?: AuditToken;
  readonly error?: string;
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
