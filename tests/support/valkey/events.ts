import type { ValkeyEvent, ValkeyObserver } from "../../../src/valkey/events.ts";

/** Collects what a store tells, and lets a test wait for something that it will tell. */
export interface EventLog {
  readonly all: readonly ValkeyEvent[];
  readonly observer: ValkeyObserver;
  /** `up`, `down dns`, `slow slow`: the states of all servers, in order. */
  readonly states: () => readonly string[];
  readonly count: (kind: ValkeyEvent["kind"]) => number;
  /** The first event from now on, or of those already told when `past` is given, for which this is true. */
  readonly until: (wanted: (event: ValkeyEvent) => boolean, past?: "past") => Promise<ValkeyEvent>;
  readonly untilState: (state: string, past?: "past") => Promise<ValkeyEvent>;
}

export function createEventLog(): EventLog {
  const all: ValkeyEvent[] = [];
  const waiting = new Set<(event: ValkeyEvent) => void>();
  const until: EventLog["until"] = (wanted, past) =>
    new Promise((resolve) => {
      const found = past === undefined ? undefined : all.find(wanted);
      if (found !== undefined) return resolve(found);
      const check = (event: ValkeyEvent): void => {
        if (!wanted(event)) return;
        waiting.delete(check);
        resolve(event);
      };
      waiting.add(check);
    });
  return {
    all,
    observer: (event) => {
      all.push(event);
      for (const check of waiting) check(event);
    },
    states: () => all.flatMap((event) => (event.kind === "state" ? [describeState(event)] : [])),
    count: (kind) => all.filter((event) => event.kind === kind).length,
    until,
    untilState: (state, past) => until((event) => event.kind === "state" && describeState(event) === state, past),
  };
}

function describeState(event: Extract<ValkeyEvent, { kind: "state" }>): string {
  return event.failure === undefined ? event.state : `${event.state} ${event.failure.reason}`;
}
