import type { Configuration } from "../config/configuration.ts";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import { chargeCallers } from "../lib/charged-fetch.ts";
import type { Clock } from "../lib/clock.ts";
import { limitPerHost } from "../lib/limited-fetch.ts";
import { retrySafely } from "../lib/retrying-fetch.ts";
import { createCallBudget } from "../vending/call-budget.ts";

/** The ways out, each with connections of its own. */
export interface Fetches {
  /** For requests: what a pipeline causes is counted against its share. */
  readonly fetch: BoundedFetch;
  readonly policyFetch: BoundedFetch;
  readonly issuerFetch: BoundedFetch;
}

export interface FetchParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** One exchange with whomever. */
  readonly exchange: BoundedFetch;
}

/**
 * Whatever requests cause, the policy is read and tokens are judged. Each try of a call takes its turn, and is charged, anew: in this order,
 * because a call that gets no turn is none.
 */
export function createFetches({ server, buildkite }: Configuration, { clock, random, exchange }: FetchParts): Fetches {
  const limited = (fetch: BoundedFetch): BoundedFetch =>
    limitPerHost(fetch, server.outgoingMaxConnectionsPerHost, clock);
  const retried = (fetch: BoundedFetch): BoundedFetch => retrySafely(fetch, { clock, random });
  const budget = createCallBudget(buildkite.callsPerMinutePerPipeline, clock);
  return {
    fetch: retried(limited(chargeCallers(exchange, budget.spend))),
    policyFetch: retried(limited(exchange)),
    issuerFetch: limited(exchange),
  };
}
