import type { Clock } from "../lib/clock.ts";
import { LinkedList, type Linked } from "../lib/linked-list.ts";

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
  const places = new LinkedList<Place>();
  let isSweeping = false;

  const sweep = (): void => {
    const oldestMs = clock.monotonicMs() - REQUEST_DEADLINE_MS;
    for (const place of all(places)) {
      if (place.hasLeft) continue;
      if (place.startedMs > oldestMs) {
        place.watched.onWaiting();
        continue;
      }
      place.leave();
      place.watched.onDeadline();
    }
    if (places.size > 0) clock.after(SWEEP_EVERY_MS, sweep);
    else isSweeping = false;
  };

  return {
    count: () => places.size,
    enter: (watched) => {
      if (places.size >= limit) return undefined;
      if (!isSweeping) {
        isSweeping = true;
        clock.after(SWEEP_EVERY_MS, sweep);
      }
      return new Place(watched, places, clock);
    },
  };
}

/** Those of this moment: some leave while others are looked at. */
function all(places: LinkedList<Place>): readonly Place[] {
  const found: Place[] = [];
  for (let place = places.oldest; place !== undefined; place = place.newer) found.push(place);
  return found;
}

/** Measured in a `Set`: 2 µs of a request, and what it left behind stayed alive. */
class Place implements Ticket, Linked<Place> {
  readonly startedMs: number;
  readonly watched: Watched;
  older: Place | undefined;
  newer: Place | undefined;
  hasLeft = false;
  readonly #places: LinkedList<Place>;
  readonly #clock: Clock;

  constructor(watched: Watched, places: LinkedList<Place>, clock: Clock) {
    this.startedMs = clock.monotonicMs();
    this.watched = watched;
    this.#places = places;
    this.#clock = clock;
    places.append(this);
  }

  isOverdue(): boolean {
    return this.#clock.monotonicMs() - this.startedMs >= REQUEST_DEADLINE_MS;
  }

  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.#places.remove(this);
  }
}
