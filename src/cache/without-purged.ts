import type { Expiring } from "./memory-level.ts";
import type { Purges } from "./purges.ts";
import type { Refill } from "./refill.ts";

/** What was asked for before a purge may have been made before it: whoever waits for that gets another. */
export function withoutPurged<Value extends Expiring, Answer>(
  refill: Refill<Value, Answer>,
  purges: Purges<Value>,
): Refill<Value, Answer> {
  return async (want, flight) => {
    const loaded = await refill(want, flight);
    if (loaded.kind === "answer" || !flight.isForgotten() || !purges.isPurged(want.key, loaded.value)) return loaded;
    purges.found(want.key, loaded.value);
    return refill(want, flight);
  };
}
