export type UpstreamName = "oidc" | "buildkite" | "github" | "ecs-credentials";

export type AuthorizationKind =
  "none" | "app-jwt" | "installation-token" | "buildkite-api-token" | "agent-token" | "container-token" | "unknown";

/** Who a request said it was, as far as its shape tells; whether it was believed is in the status. Never a token. */
export interface Asker {
  readonly authorization: AuthorizationKind;
  readonly appId?: number;
}

/** One request that an upstream was sent. */
export interface JournalEntry extends Asker {
  /** Counts from 1 over all upstreams, in order of arrival; `clear()` does not start it again. */
  readonly sequence: number;
  readonly atMs: number;
  readonly upstream: UpstreamName;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** The request's body when it was JSON. */
  readonly body?: unknown;
  /** Absent until it has been answered. */
  readonly status?: number;
}

export interface JournalFilter {
  readonly upstream?: UpstreamName;
  readonly method?: string;
  /** The whole path with its query, or a pattern that is found in it. */
  readonly path?: string | RegExp;
}

/** What the upstreams were asked, in order. */
export interface Journal {
  readonly entries: (filter?: JournalFilter) => readonly JournalEntry[];
  readonly clear: () => void;
}

export interface WritableJournal extends Journal {
  readonly write: (asked: Omit<JournalEntry, "sequence" | "status">) => Recorded;
}

export interface Recorded {
  readonly sequence: number;
  readonly answered: (status: number) => void;
}

export function createJournal(): WritableJournal {
  let written = 0;
  let entries: { entry: JournalEntry }[] = [];
  return {
    write: (asked) => {
      written += 1;
      const slot: { entry: JournalEntry } = { entry: { sequence: written, ...asked } };
      entries.push(slot);
      return {
        sequence: written,
        answered: (status) => {
          slot.entry = { ...slot.entry, status };
        },
      };
    },
    entries: (filter = {}) => entries.map(({ entry }) => entry).filter((entry) => fits(entry, filter)),
    clear: () => {
      entries = [];
    },
  };
}

function fits(entry: JournalEntry, { upstream, method, path }: JournalFilter): boolean {
  return (
    (upstream === undefined || entry.upstream === upstream) &&
    (method === undefined || entry.method === method) &&
    (path === undefined || (typeof path === "string" ? entry.path === path : path.test(entry.path)))
  );
}
