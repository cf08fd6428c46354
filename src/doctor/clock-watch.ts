import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import type { Clock } from "../lib/clock.ts";
import type { Upstream } from "../lib/upstream-fault.ts";
import { type Check, ok, warning } from "./check.ts";
import { examine } from "./examine.ts";

/** What tokens' times may be off by. */
const SKEW_MS = 5000;
/** Whose replies come from no cache, so that their `Date` is the time at which they were made. */
const TIMEKEEPERS: ReadonlySet<Upstream> = new Set(["github", "buildkite"]);

/** Reads the time in what upstreams reply, whatever they were asked. */
export interface ClockWatch {
  readonly fetch: BoundedFetch;
  /** For the end, when all others have been asked. */
  readonly check: () => Promise<Check>;
}

export function watchClocks(fetch: BoundedFetch, clock: Clock): ClockWatch {
  /** How far each is ahead of us, as little as its replies allow: they tell whole seconds, and take a moment. */
  const aheadMs = new Map<Upstream, number>();
  return {
    fetch: async (request) => {
      const beforeMs = clock.nowMs();
      const response = await fetch(request);
      const toldMs = Date.parse(response.headers.get("date") ?? "");
      if (TIMEKEEPERS.has(request.upstream) && !Number.isNaN(toldMs)) {
        aheadMs.set(request.upstream, distance(toldMs, beforeMs - 1000, clock.nowMs()));
      }
      return response;
    },
    check: async () => {
      const { check } = await examine("clock", clock, async ({ run, skip }) => {
        if (aheadMs.size === 0) return skip("against others", "nobody told the time");
        for (const [upstream, ahead] of aheadMs) await run(`against ${upstream}`, () => Promise.resolve(judge(ahead)));
      });
      return check;
    },
  };
}

/** 0 when `atMs` is within; else how far it is before (negative) or behind. */
function distance(atMs: number, fromMs: number, toMs: number): number {
  if (atMs < fromMs) return atMs - fromMs;
  return atMs > toMs ? atMs - toMs : 0;
}

function judge(aheadMs: number) {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (Math.abs(aheadMs) <= SKEW_MS) return ok("within 5 seconds", undefined);
  return warning("clock-differs", `this clock is ${seconds} seconds ${aheadMs > 0 ? "behind" : "ahead"}`, undefined);
}
