import type { Clock } from "../lib/clock.ts";

/** A reply comes after this time, whatever hangs behind it: clients give up sooner or later, and must learn that they may come back. */
export const REQUEST_DEADLINE_MS = 20_000;
/** How late a deadline may be noticed. One timer for all requests instead of one each keeps the cached path free of timers. */
const SWEEP_EVERY_MS = 250;

/** What is told how long it is in work. */
export interface Watched {
  /** The deadline has passed before `leave`. Called once. */
  readonly onDeadline: () => void;
  /** Called at every look at the deadlines before: a request that hangs can see whether its client still waits. */
  readonly onWaiting: () => void;
}

/** One request in work. */
export interface Ticket {
  readonly startedMs: number;
  readonly isOverdue: () => boolean;
  readonly leave: () => void;
}

/** Counts requests in work against a limit and watches their deadlines. */
export interface InFlight {
  /** Undefined when as many as may be are in work already. */
  readonly enter: (watched: Watched) => Ticket | undefined;
  readonly count: () => number;
}

export function createInFlight(limit: number, clock: Clock): InFlight {
  const places = new Places();
  let isSweeping = false;

  const sweep = (): void => {
    const oldestMs = clock.monotonicMs() - REQUEST_DEADLINE_MS;
    for (const place of places.all()) {
      if (place.hasLeft) continue;
      if (place.startedMs > oldestMs) {
        place.watched.onWaiting();
        continue;
      }
      place.leave();
      place.watched.onDeadline();
    }
    if (places.count > 0) clock.after(SWEEP_EVERY_MS, sweep);
    else isSweeping = false;
  };

  return {
    count: () => places.count,
    enter: (watched) => {
      if (places.count >= limit) return undefined;
      if (!isSweeping) {
        isSweeping = true;
        clock.after(SWEEP_EVERY_MS, sweep);
      }
      return new Place(watched, places, clock);
    },
  };
}

/** A list by links: in and out of a `Set` is 2 µs of a request, because it pays for what was deleted. */
class Places {
  count = 0;
  last: Place | undefined;

  /** Of this moment. */
  all(): readonly Place[] {
    const all: Place[] = [];
    for (let place = this.last; place !== undefined; place = place.before) all.push(place);
    return all;
  }
}

class Place implements Ticket {
  readonly startedMs: number;
  readonly watched: Watched;
  before: Place | undefined;
  after: Place | undefined;
  readonly #places: Places;
  readonly #clock: Clock;
  hasLeft = false;

  constructor(watched: Watched, places: Places, clock: Clock) {
    this.startedMs = clock.monotonicMs();
    this.watched = watched;
    this.before = places.last;
    if (places.last !== undefined) places.last.after = this;
    places.last = this;
    places.count += 1;
    this.#places = places;
    this.#clock = clock;
  }

  isOverdue(): boolean {
    return this.#clock.monotonicMs() - this.startedMs >= REQUEST_DEADLINE_MS;
  }

  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.#places.count -= 1;
    if (this.before !== undefined) this.before.after = this.after;
    if (this.after === undefined) this.#places.last = this.before;
    else this.after.before = this.before;
    // Or whoever still holds this one would hold its neighbours.
    this.before = undefined;
    this.after = undefined;
  }
}
