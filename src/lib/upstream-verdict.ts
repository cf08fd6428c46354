import { UpstreamFault, type Upstream, type UpstreamFaultCode } from "./upstream-fault.ts";

/** What an upstream answered, as far as it tells an outage from a refusal. */
export interface UpstreamReply {
  readonly upstream: Upstream;
  /** Absent: no complete answer came. */
  readonly status?: number;
  /** It says to come back later by other means than its status: a header, a message, the name of an error. */
  readonly saysLater?: boolean;
}

/**
 * Success, outage, refusal or nonsense: the one place where that is decided, for every status of every upstream.
 *
 * An outage is no answer, 5xx, 429 and whatever says to slow down: nothing is known, and what we hold stays good. Every other 4xx is a
 * refusal: what we hold must go. What an upstream never sends (1xx, redirects, a success without meaning) is neither, and counts as
 * no outage, so that what is unknown ends an entry rather than prolonging it.
 *
 * The issuer has no refusals: its documents are public and no verdict on any caller, so all it can do is not give them. Nor has whoever
 * hands out AWS credentials, who judges us and not a request.
 */
export function judgeReply({ upstream, status, saysLater = false }: UpstreamReply): "success" | UpstreamFaultCode {
  if (status === undefined || saysLater || status === 429 || status >= 500) return "upstream-unavailable";
  if (isSuccess(upstream, status)) return "success";
  if (upstream === "oidc" || upstream === "aws-credentials") return "upstream-unavailable";
  return status >= 400 ? "upstream-refused" : "upstream-malformed";
}

/** Whether the failure of a call means that nobody could be asked, so that what is held may serve on. */
export function isOutage(error: unknown): error is UpstreamFault {
  return error instanceof UpstreamFault && error.code === "upstream-unavailable";
}

/** Whether a call failed with a definitive no, so that what is held must go. */
export function isRefusal(error: unknown): error is UpstreamFault {
  return error instanceof UpstreamFault && error.code === "upstream-refused";
}

function isSuccess(upstream: Upstream, status: number): boolean {
  if (upstream === "github") return (status >= 200 && status < 300) || status === 304;
  return status === 200;
}
