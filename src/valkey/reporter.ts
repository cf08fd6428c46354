import type { ServerState, ValkeyEvent, ValkeyObserver } from "./events.ts";
import type { Failure } from "./failure.ts";

/** Passes events on, those that describe a condition only when it has changed. */
export interface Reporter {
  readonly state: (server: string, state: ServerState, failure?: Failure) => void;
  readonly refused: (server: string, command: string, failure: Failure) => void;
  readonly accepted: (server: string, command: string) => void;
  readonly renewalFailed: (server: string, failure: Failure) => void;
  readonly renewed: (server: string, by: "auth" | "replacement") => void;
  readonly lost: (server: string, failure: Failure) => void;
  readonly forgotten: (server: string) => void;
}

export function createReporter(observer: ValkeyObserver): Reporter {
  /** The last condition told of a server, by its subject. An absent subject is in order. */
  const told = new Map<string, Map<string, string>>();

  const isNews = (server: string, subject: string, condition: string | undefined): boolean => {
    const conditions = told.get(server) ?? new Map<string, string>();
    if (conditions.get(subject) === condition) return false;
    if (condition === undefined) conditions.delete(subject);
    else conditions.set(subject, condition);
    told.set(server, conditions);
    return true;
  };
  const tell = (news: boolean, event: ValkeyEvent): void => {
    if (news) observer(event);
  };
  return {
    state: (server, state, failure) => {
      const event = { kind: "state", server, state, ...(failure === undefined ? {} : { failure }) } as const;
      tell(isNews(server, "state", `${state} ${failure?.reason}`), event);
    },
    refused: (server, command, failure) =>
      tell(isNews(server, command, failure.reason), { kind: "command-refused", server, command, failure }),
    accepted: (server, command) =>
      tell(isNews(server, command, undefined), { kind: "command-accepted", server, command }),
    renewalFailed: (server, failure) =>
      tell(isNews(server, "renewal", failure.reason), { kind: "renewal-failed", server, failure }),
    renewed: (server, by) => {
      isNews(server, "renewal", undefined);
      observer({ kind: "credentials-renewed", server, by });
    },
    lost: (server, { reason }) => observer({ kind: "connection-lost", server, reason }),
    forgotten: (server) => tell(told.delete(server), { kind: "forgotten", server }),
  };
}
