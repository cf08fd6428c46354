import type { AuditEntry, AuditHandover, AuditToken } from "../audit/entry.ts";
import type { AuditPart } from "../audit/audit-part.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import { handedFields, type ResolvedFacts, type VendedFacts } from "../vending/audit-token.ts";
import type { TokenSource } from "../vending/vend.ts";
import type { AuditParts, KnownCaller } from "./audit-parts.ts";

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
  readonly #parts: AuditParts;
  #identity: BuildkiteIdentity | undefined;
  #caller: KnownCaller | undefined;
  #profile: ResolvedFacts | undefined;
  #asked: AuditToken | undefined;
  #resolved: AuditPart<AuditToken> | undefined;
  #judged: AuditToken | undefined;
  #vended: AuditPart<AuditToken> | undefined;
  #handed: AuditHandover | undefined;
  #error: string | undefined;

  constructor(facts: RequestFacts, parts: AuditParts) {
    this.#facts = facts;
    this.#parts = parts;
  }

  get identity(): BuildkiteIdentity | undefined {
    return this.#identity;
  }

  /** The profile and its App, once they are known. */
  get profile(): ResolvedFacts | undefined {
    return this.#profile;
  }

  /** Where the token came from, while there is one. */
  get source(): TokenSource | undefined {
    return this.#handed?.source;
  }

  /** `isNew`: the caller's token was never seen before. */
  authenticated(identity: BuildkiteIdentity, isNew = false): void {
    this.#identity = identity;
    this.#caller = this.#parts.callerOf(identity, isNew);
  }

  /** What the request itself says that it wants. */
  asked(fields: Pick<AuditToken, "requestedProfile" | "requestedRepository">): void {
    this.#asked = { ...this.#asked, ...fields };
  }

  /** From the moment the profile resolves, a later refusal by rules or by GitHub included. Its full name takes the place of the one that was sent. */
  resolved(facts: ResolvedFacts): void {
    this.#profile = facts;
    this.#resolved = this.#caller?.resolved(facts);
    if (this.#asked?.requestedProfile === undefined) return;
    const { requestedProfile: _, ...others } = this.#asked;
    this.#asked = others.requestedRepository === undefined ? undefined : others;
  }

  judged(fields: Pick<AuditToken, "matches" | "attemptedPatterns">): void {
    this.#judged = fields;
  }

  vended(facts: VendedFacts, nowMs: number): void {
    this.#vended = this.#parts.vendedOf(facts);
    this.#handed = handedFields(facts, nowMs);
  }

  /** What would have been vended has not been. */
  withoutToken(): void {
    this.#vended = undefined;
    this.#handed = undefined;
  }

  error(cause: string): void {
    this.#error = cause;
  }

  entry(status: number, durationMs: number, nowMs: number, traceId?: string): AuditEntry {
    const { method, path, sourceIP, userAgent, id, forwardedFor } = this.#facts;
    const duration = Math.round(durationMs * 1000) / 1000;
    const request = { method, path, status, sourceIP, userAgent, id, durationMs: duration };
    return {
      request: forwardedFor === undefined ? request : { ...request, forwardedFor },
      traceId,
      caller: this.#callerAt(nowMs),
      token: this.#tokenParts(),
      error: this.#error,
    };
  }

  #callerAt(nowMs: number): AuditEntry["caller"] {
    if (this.#caller === undefined || this.#identity === undefined) return undefined;
    const { pipeline, authorization } = this.#caller;
    const expiryRemaining = Math.floor(this.#identity.expiresAtEpochSeconds - nowMs / 1000);
    return { pipeline, authorization, expiryRemaining };
  }

  #tokenParts(): AuditEntry["token"] {
    if (this.#asked === undefined && this.#resolved === undefined) return undefined;
    return {
      asked: this.#asked,
      resolved: this.#resolved,
      judged: this.#judged,
      vended: this.#vended,
      now: this.#handed,
    };
  }
}
