import type { Clock } from "./clock.ts";
import { OverBudget } from "./over-budget.ts";

/** One caller has a quarter. */
const CALLERS_SHARE = 4;
/** So many calls for each place may wait: the jobs of a build that begin together are no flood. */
const WAITING_PER_PLACE = 3;
/** A call takes a few hundred milliseconds: whoever waits for longer waits for calls that hang. */
const PATIENCE_MS = 2_000;
const RETRY_SECONDS = 1;

interface Place {
  running: number;
  /** In order of arrival. */
  readonly waiting: Set<() => void>;
}

/**
 * Lets one caller have a quarter of `all` places at most, at least one. Whoever finds them taken by calls of its own waits two seconds for
 * one, if not too many do; then it is refused with `OverBudget`. So whoever makes an upstream hang, or asks without end, leaves places to the others.
 */
export class CallerShares {
  readonly #share: number;
  readonly #clock: Clock;
  readonly #callers = new Map<string, Place>();

  constructor(all: number, clock: Clock) {
    this.#share = Math.max(1, Math.floor(all / CALLERS_SHARE));
    this.#clock = clock;
  }

  /** Resolves when the caller has a place, which `leave` gives back. */
  async enter(caller: string): Promise<void> {
    const place = this.#callers.get(caller) ?? { running: 0, waiting: new Set() };
    this.#callers.set(caller, place);
    if (place.running < this.#share) {
      place.running += 1;
      return;
    }
    if (place.waiting.size >= WAITING_PER_PLACE * this.#share) throw tooMany();
    const turn = Promise.withResolvers<void>();
    place.waiting.add(turn.resolve);
    const cancel = this.#clock.after(PATIENCE_MS, () => {
      if (place.waiting.delete(turn.resolve)) turn.reject(tooMany());
    });
    await turn.promise.finally(cancel);
  }

  leave(caller: string): void {
    const place = this.#callers.get(caller);
    const [next] = place?.waiting ?? [];
    if (place === undefined) return;
    if (next !== undefined) {
      // The place goes over to the next one.
      place.waiting.delete(next);
      next();
      return;
    }
    place.running -= 1;
    if (place.running === 0) this.#callers.delete(caller);
  }

  isIdle(): boolean {
    return this.#callers.size === 0;
  }
}

function tooMany(): OverBudget {
  return new OverBudget("too many upstream calls at once by this pipeline", RETRY_SECONDS);
}
