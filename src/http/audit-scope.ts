import type { AuditEntry, AuditHandover, AuditToken } from "../audit/entry.ts";
import { AuditPart } from "../audit/audit-part.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { ClaimMatch } from "../profiles/policy.ts";
import { handedFields, type ResolvedFacts } from "../vending/audit-token.ts";
import type { TokenSource } from "../vending/vend.ts";
import type { AskedProfile } from "./asked-profile.ts";
import type { Caller } from "./caller.ts";
import type { KnownToken } from "./known-tokens.ts";

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
  #caller: Caller | undefined;
  #profile: AskedProfile | undefined;
  #asked: AuditToken | undefined;
  #judged: AuditPart<AuditToken> | undefined;
  #vended: AuditPart<AuditToken> | undefined;
  #handed: AuditHandover | undefined;
  #error: string | undefined;

  constructor(facts: RequestFacts) {
    this.#facts = facts;
  }

  get identity(): BuildkiteIdentity | undefined {
    return this.#caller?.identity;
  }

  /** The profile and its App, once they are known. */
  get profile(): ResolvedFacts | undefined {
    return this.#profile;
  }

  /** Where the token came from, while there is one. */
  get source(): TokenSource | undefined {
    return this.#handed?.source;
  }

  authenticated(caller: Caller): void {
    this.#caller = caller;
  }

  /** What the request itself says that it wants. */
  asked(fields: Pick<AuditToken, "requestedProfile" | "requestedRepository">): void {
    this.#asked = { ...this.#asked, ...fields };
  }

  /** From the moment the profile resolves, a later refusal by rules or by GitHub included. Its full name takes the place of the one that was sent. */
  resolved(profile: AskedProfile): void {
    this.#profile = profile;
    if (this.#asked?.requestedProfile === undefined) return;
    const { requestedProfile: _, ...others } = this.#asked;
    this.#asked = others.requestedRepository === undefined ? undefined : others;
  }

  matched(matches: readonly ClaimMatch[]): void {
    this.#judged = this.#caller?.matched(matches);
  }

  notMatched(attemptedPatterns: NonNullable<AuditToken["attemptedPatterns"]>): void {
    this.#judged = new AuditPart({ attemptedPatterns });
  }

  vended({ token, part }: KnownToken, source: TokenSource, nowMs: number): void {
    this.#vended = part;
    this.#handed = handedFields({ token, source }, nowMs);
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
    if (this.#caller === undefined) return undefined;
    const { identity, part } = this.#caller;
    return { part, expiryRemaining: Math.floor(identity.expiresAtEpochSeconds - nowMs / 1000) };
  }

  #tokenParts(): AuditEntry["token"] {
    if (this.#asked === undefined && this.#profile === undefined) return undefined;
    return {
      asked: this.#asked,
      resolved: this.#profile?.part,
      judged: this.#judged,
      vended: this.#vended,
      now: this.#handed,
    };
  }
}
