import { BridgeError } from "./bridge-error.ts";

/** The services that a request may depend on. */
export type Upstream =
  "github" | "buildkite" | "oidc" | "kms" | "secrets-manager" | "valkey" | "aws-credentials" | "ecs-metadata";

/**
 * What went wrong with an upstream call, as far as callers must tell it apart:
 * - `unavailable`: no answer, 5xx, 429, or told to slow down. It may work later; what we hold stays good.
 * - `refused`: a definitive no. What we hold for this request must go.
 * - `malformed`: an answer that breaks the upstream's own rules. Never used, never retried.
 */
export type UpstreamFaultCode = "upstream-unavailable" | "upstream-refused" | "upstream-malformed";

export interface UpstreamFaultDetails {
  readonly upstream: Upstream;
  readonly status?: number;
  readonly requestId?: string;
  /** No connection was made: the upstream has seen nothing of the call. */
  readonly notSent?: boolean;
  /** Whole seconds the upstream asked us to wait, unclamped. */
  readonly retryAfterSeconds?: number;
}

/** A failed call to an upstream. The message carries at most 200 bytes of what the upstream said, scrubbed of secrets. */
export class UpstreamFault extends BridgeError<UpstreamFaultCode> {
  readonly details: UpstreamFaultDetails;

  constructor(code: UpstreamFaultCode, operation: string, details: UpstreamFaultDetails, options?: ErrorOptions) {
    super(code, describe(operation, details), options);
    this.details = details;
  }
}

function describe(operation: string, { upstream, status, requestId }: UpstreamFaultDetails): string {
  const facts = [status === undefined ? "" : `status ${status}`, requestId === undefined ? "" : `request ${requestId}`];
  const suffix = facts.filter(Boolean).join(", ");
  return suffix === "" ? `${upstream}: ${operation}` : `${upstream}: ${operation} (${suffix})`;
}
