import type { BoundedFetch, BoundedResponse, OutgoingRequest } from "./bounded-fetch.ts";
import type { Clock } from "./clock.ts";
import { isOutage } from "./upstream-verdict.ts";

/** The longest pause before the second and the third try; each is drawn anew, so that instances do not come back together. */
const PAUSES_MS = [200, 800] as const;

/**
 * Tries that one host may get beyond the first, until it has answered again. An outage is met by many calls at once, and three times as
 * many would be what keeps the upstream down. gRPC throttles retries in the same way (gRFC A6).
 */
const SPARE_TRIES = 2;
/** What an answer gives back: in the long run one try in ten is a repeat. */
const REGAINED = 0.1;

export interface RetryOptions {
  readonly clock: Clock;
  /** 0 up to 1, as `Math.random`. */
  readonly random: () => number;
}

/**
 * Tries again where a repeat is safe, all tries within the call's own deadline: a GET that got no answer or 500, 502, 503, 504 without
 * being told when to come back; anything else only when no connection was made. A POST that was sent is never sent again: it may have
 * made a token. A host that answers nobody is soon asked once a call only.
 */
export function retrySafely(fetch: BoundedFetch, { clock, random }: RetryOptions): BoundedFetch {
  const spare = createSpareTries();
  return async (request) => {
    const { host } = new URL(request.url);
    const endsMs = clock.monotonicMs() + request.timeoutMs;
    for (const pauseMs of PAUSES_MS) {
      const outcome = await attempt(fetch, { ...request, timeoutMs: endsMs - clock.monotonicMs() });
      const delayMs = pauseMs * (0.5 + random() / 2);
      if (!isWorthRepeating(request, outcome)) {
        if (outcome.kind === "response" && outcome.response.status < 500) spare.regain(host);
        return unwrap(outcome);
      }
      if (clock.monotonicMs() + delayMs >= endsMs || !spare.take(host)) return unwrap(outcome);
      await new Promise<void>((resolve) => clock.after(delayMs, resolve));
      if (request.signal?.aborted === true) return unwrap(outcome);
    }
    return fetch({ ...request, timeoutMs: endsMs - clock.monotonicMs() });
  };
}

interface SpareTries {
  /** Whether there is one left for this host; it is gone then. */
  readonly take: (host: string) => boolean;
  readonly regain: (host: string) => void;
}

/** Only hosts that have used some are kept. */
function createSpareTries(): SpareTries {
  const used = new Map<string, number>();
  return {
    take: (host) => {
      const count = used.get(host) ?? 0;
      if (count > SPARE_TRIES - 1) return false;
      used.set(host, count + 1);
      return true;
    },
    regain: (host) => {
      const left = (used.get(host) ?? 0) - REGAINED;
      if (left > 0) used.set(host, left);
      else used.delete(host);
    },
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
  // Told when to come back, we do not come back at once.
  if (!isOutage(outcome.error) || outcome.error.details.retryAfterSeconds !== undefined) return false;
  return method === "GET" || outcome.error.details.notSent === true;
}

function unwrap(outcome: Outcome): BoundedResponse {
  if (outcome.kind === "failure") throw outcome.error;
  return outcome.response;
}
