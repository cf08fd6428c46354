import type { BoundedFetch } from "./bounded-fetch.ts";

/** Counts each exchange, repeats included, for the caller that it is made for. Rejects with what `spend` throws; then nothing is sent. */
export function chargeCallers(fetch: BoundedFetch, spend: (caller: string) => void): BoundedFetch {
  return async (request) => {
    if (request.caller !== undefined) spend(request.caller);
    return fetch(request);
  };
}
