import type { Clock } from "../lib/clock.ts";

/** A reply comes after this time, whatever hangs behind it: clients give up sooner or later, and must learn that they may come back. */
export const REQUEST_DEADLINE_MS = 20_000;
/** How late a deadline may be noticed. One timer for all requests instead of one each keeps the cached path free of timers. */
const SWEEP_EVERY_MS = 250;

/** One request in work. */
export interface Ticket {
  readonly startedMs: number;
  /** Called once, when the deadline has passed before `leave`. May be set late. */
  onDeadline: (() => void) | undefined;
  /** Called at every look at the deadlines before: a request that hangs can see whether its client still waits. */
  onWaiting: (() => void) | undefined;
  readonly isOverdue: () => boolean;
  readonly leave: () => void;
}

/** Counts requests in work against a limit and watches their deadlines. */
export interface InFlight {
  /** Undefined when as many as may be are in work already. */
  readonly enter: () => Ticket | undefined;
  readonly count: () => number;
}

export function createInFlight(limit: number, clock: Clock): InFlight {
  const tickets = new Set<Ticket>();
  let isSweeping = false;

  const sweep = (): void => {
    const oldestMs = clock.monotonicMs() - REQUEST_DEADLINE_MS;
    for (const ticket of tickets) {
      if (ticket.startedMs > oldestMs) {
        ticket.onWaiting?.();
        continue;
      }
      tickets.delete(ticket);
      ticket.onDeadline?.();
    }
    if (tickets.size > 0) clock.after(SWEEP_EVERY_MS, sweep);
    else isSweeping = false;
  };

  return {
    count: () => tickets.size,
    enter: () => {
      if (tickets.size >= limit) return undefined;
      const ticket: Ticket = {
        startedMs: clock.monotonicMs(),
        onDeadline: undefined,
        onWaiting: undefined,
        isOverdue: () => clock.monotonicMs() - ticket.startedMs >= REQUEST_DEADLINE_MS,
        leave: () => void tickets.delete(ticket),
      };
      tickets.add(ticket);
      if (!isSweeping) {
        isSweeping = true;
        clock.after(SWEEP_EVERY_MS, sweep);
      }
      return ticket;
    },
  };
}
