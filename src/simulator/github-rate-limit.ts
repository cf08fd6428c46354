/** GitHub's primary rate limit, counted for each installation (and each App, for what its own JWT asks). */
export interface RateLimit {
  /** Requests an hour. */
  limit: number;
  /** Counts one request; false when there is none left. */
  readonly spend: (who: string, nowMs: number) => boolean;
  /** Takes one back: a 304 costs nothing. */
  readonly refund: (who: string) => void;
  readonly headers: (who: string, nowMs: number) => Record<string, string>;
}

interface Window {
  used: number;
  readonly endsAtMs: number;
}

const HOUR_MS = 60 * 60 * 1000;

export function createRateLimit(limit: number): RateLimit {
  const windows = new Map<string, Window>();
  const windowOf = (who: string, nowMs: number): Window => {
    const known = windows.get(who);
    if (known !== undefined && known.endsAtMs > nowMs) return known;
    const fresh = { used: 0, endsAtMs: nowMs + HOUR_MS };
    windows.set(who, fresh);
    return fresh;
  };
  const rateLimit: RateLimit = {
    limit,
    spend: (who, nowMs) => {
      const window = windowOf(who, nowMs);
      if (window.used >= rateLimit.limit) return false;
      window.used += 1;
      return true;
    },
    refund: (who) => {
      const window = windows.get(who);
      if (window !== undefined) window.used -= 1;
    },
    headers: (who, nowMs) => {
      const { used, endsAtMs } = windowOf(who, nowMs);
      return {
        "x-ratelimit-limit": `${rateLimit.limit}`,
        "x-ratelimit-remaining": `${Math.max(0, rateLimit.limit - used)}`,
        "x-ratelimit-used": `${used}`,
        "x-ratelimit-reset": `${Math.ceil(endsAtMs / 1000)}`,
        "x-ratelimit-resource": "core",
      };
    },
  };
  return rateLimit;
}
