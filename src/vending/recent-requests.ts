import type { Clock } from "../lib/clock.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { callerScopeOf, canonicalProfile } from "./canonical-profile.ts";

/** Longer than a token lives: what was in use until its token ended is still known when it asks for the next. */
const RECENT_MS = 2 * 60 * 60_000;
const CAPACITY = 10_000;
/** Of names that callers choose: a flood of them makes nobody else unknown. */
const CALLER_VARIED_CAPACITY = 2_000;

/**
 * What tokens were made for lately, whatever the policy's generation: what is in use, as against what is asked for the first time. When
 * little is left of GitHub's limits, those in use are served last to suffer.
 */
export interface RecentRequests {
  readonly isRecent: (request: AuthorizedRequest) => boolean;
  readonly note: (request: AuthorizedRequest) => void;
}

export function createRecentRequests(clock: Clock): RecentRequests {
  const chosen = new Map<string, number>();
  const varied = new Map<string, number>();
  const place = ({ identity, profile, target }: AuthorizedRequest) => {
    const scope = callerScopeOf(target)?.toLowerCase();
    const name = canonicalProfile(identity, profile, scope);
    return scope === undefined
      ? { name, times: chosen, capacity: CAPACITY }
      : { name, times: varied, capacity: CALLER_VARIED_CAPACITY };
  };

  return {
    isRecent: (request) => {
      const { name, times } = place(request);
      const atMs = times.get(name);
      return atMs !== undefined && clock.monotonicMs() - atMs < RECENT_MS;
    },
    note: (request) => {
      const { name, times, capacity } = place(request);
      times.delete(name);
      const oldest = times.size >= capacity ? times.keys().next() : undefined;
      if (oldest?.done === false) times.delete(oldest.value);
      times.set(name, clock.monotonicMs());
    },
  };
}
