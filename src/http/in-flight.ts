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
  const tickets = new Set<Place>();
  let isSweeping = false;

  const sweep = (): void => {
    const oldestMs = clock.monotonicMs() - REQUEST_DEADLINE_MS;
    for (const ticket of tickets) {
      if (ticket.startedMs > oldestMs) {
        ticket.watched.onWaiting();
        continue;
      }
      tickets.delete(ticket);
      ticket.watched.onDeadline();
    }
    if (tickets.size > 0) clock.after(SWEEP_EVERY_MS, sweep);
    else isSweeping = false;
  };

  return {
    count: () => tickets.size,
    enter: (watched) => {
      if (tickets.size >= limit) return undefined;
      const ticket = new Place(watched, tickets, clock);
      tickets.add(ticket);
      if (!isSweeping) {
        isSweeping = true;
        clock.after(SWEEP_EVERY_MS, sweep);
      }
      return ticket;
    },
  };
}

class Place implements Ticket {
  readonly startedMs: number;
  readonly watched: Watched;
  readonly #all: Set<Place>;
  readonly #clock: Clock;

  constructor(watched: Watched, all: Set<Place>, clock: Clock) {
    this.startedMs = clock.monotonicMs();
    this.watched = watched;
    this.#all = all;
    this.#clock = clock;
  }

  isOverdue(): boolean {
    return this.#clock.monotonicMs() - this.startedMs >= REQUEST_DEADLINE_MS;
  }

  leave(): void {
    this.#all.delete(this);
  }
}
