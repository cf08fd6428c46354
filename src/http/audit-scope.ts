import type { AuditEntry, AuditToken } from "../audit/entry.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import { resolvedFields, vendedFields, type ResolvedFacts, type VendedFacts } from "../vending/audit-token.ts";

/** What a request's line shows of the connection and the request line. */
export interface RequestFacts {
  readonly method: string;
  readonly path: string;
  readonly sourceIP: string;
  readonly userAgent: string;
  readonly id: string;
  readonly forwardedFor?: string;
}

/**
 * Gathers what becomes known while one request is worked on, and makes its audit entry at the end. Mutable, owned by that request alone.
 * http keeps it because it alone sees every outcome, those of the 400s and 401s too.
 */
export class AuditScope {
  readonly #facts: RequestFacts;
  #identity: BuildkiteIdentity | undefined;
  #token: AuditToken = {};
  #error: string | undefined;

  constructor(facts: RequestFacts) {
    this.#facts = facts;
  }

  authenticated(identity: BuildkiteIdentity): void {
    this.#identity = identity;
  }

  /** Adds to what the entry says of the token; a later value replaces an earlier one. */
  token(fields: AuditToken): void {
    this.#token = { ...this.#token, ...fields };
  }

  /** From the moment the profile resolves, a later refusal by rules or by GitHub included. */
  resolved(request: ResolvedFacts): void {
    this.token(resolvedFields(request));
  }

  vended(facts: VendedFacts, nowMs: number): void {
    this.token(vendedFields(facts, nowMs));
  }

  /** What would have been vended has not been. */
  withoutToken(): void {
    const {
      vendedRepository: _1,
      repositories: _2,
      permissions: _3,
      hashedToken: _4,
      expiry: _5,
      expiryRemaining: _6,
      source: _7,
      ...rest
    } = this.#token;
    this.#token = rest;
  }

  error(cause: string): void {
    this.#error = cause;
  }

  entry(status: number, durationMs: number, nowMs: number): AuditEntry {
    const identity = this.#identity;
    const { method, path, ...rest } = this.#facts;
    return {
      request: { method, path, status, ...rest, durationMs: Math.round(durationMs * 1000) / 1000 },
      ...(identity === undefined ? {} : { pipeline: pipelineOf(identity) }),
      authorization: authorizationOf(identity, nowMs),
      ...(Object.keys(this.#token).length === 0 ? {} : { token: this.#token }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }
}

function pipelineOf(identity: BuildkiteIdentity): NonNullable<AuditEntry["pipeline"]> {
  const { organizationSlug, pipelineSlug, jobId, buildNumber, buildBranch } = identity;
  return { organizationSlug, pipelineSlug, jobID: jobId, buildNumber, buildBranch };
}

function authorizationOf(identity: BuildkiteIdentity | undefined, nowMs: number): AuditEntry["authorization"] {
  if (identity === undefined) return { authorized: false };
  return {
    authorized: true,
    subject: identity.subject,
    issuer: identity.issuer,
    audience: identity.audience,
    expiry: formatEpochSeconds(identity.expiresAtEpochSeconds),
    expiryRemaining: Math.floor(identity.expiresAtEpochSeconds - nowMs / 1000),
  };
}
