import type { BoundedFetch, BoundedResponse, OutgoingRequest } from "./bounded-fetch.ts";
import type { Clock } from "./clock.ts";
import { isOutage } from "./upstream-verdict.ts";

/** The longest pause before the second and the third try; each is drawn anew, so that instances do not come back together. */
const PAUSES_MS = [200, 800] as const;

export interface RetryOptions {
  readonly clock: Clock;
  /** 0 up to 1, as `Math.random`. */
  readonly random: () => number;
}

/**
 * Tries again where a repeat is safe, all tries within the call's own deadline: a GET that got no answer or 500, 502, 503, 504 without
 * being told when to come back; anything else only when no connection was made. A POST that was sent is never sent again: it may have
 * made a token.
 */
export function retrySafely(fetch: BoundedFetch, { clock, random }: RetryOptions): BoundedFetch {
  return async (request) => {
    const endsMs = clock.monotonicMs() + request.timeoutMs;
    for (const pauseMs of PAUSES_MS) {
      const outcome = await attempt(fetch, { ...request, timeoutMs: endsMs - clock.monotonicMs() });
      const delayMs = pauseMs * (0.5 + random() / 2);
      if (!isWorthRepeating(request, outcome) || clock.monotonicMs() + delayMs >= endsMs) return unwrap(outcome);
      await new Promise<void>((resolve) => clock.after(delayMs, resolve));
      if (request.signal?.aborted === true) return unwrap(outcome);
    }
    return fetch({ ...request, timeoutMs: endsMs - clock.monotonicMs() });
  };
}

type Outcome =
  | { readonly kind: "response"; readonly response: BoundedResponse }
  | { readonly kind: "failure"; readonly error: unknown };

async function attempt(fetch: BoundedFetch, request: OutgoingRequest): Promise<Outcome> {
  try {
    return { kind: "response", response: await fetch(request) };
  } catch (error) {
    return { kind: "failure", error };
  }
}

function isWorthRepeating({ method, signal }: OutgoingRequest, outcome: Outcome): boolean {
  if (signal?.aborted === true) return false;
  if (outcome.kind === "response") {
    const { status, headers } = outcome.response;
    return method === "GET" && [500, 502, 503, 504].includes(status) && !headers.has("retry-after");
  }
  if (!isOutage(outcome.error)) return false;
  return method === "GET" || outcome.error.details.notSent === true;
}

function unwrap(outcome: Outcome): BoundedResponse {
  if (outcome.kind === "failure") throw outcome.error;
  return outcome.response;
}
