import type { Clock } from "../lib/clock.ts";
import { OverBudget } from "../lib/over-budget.ts";

/** More pipelines than this in a minute, and the one that was quiet longest is forgotten. */
const REMEMBERED_PIPELINES = 10_000;

/** What one pipeline may cause in calls to GitHub and Buildkite. Protects the others' share of the upstreams' rate limits. */
export interface CallBudget {
  /** Counts one call. Throws `OverBudget` when the pipeline has used up its share. */
  readonly spend: (pipelineId: string) => void;
}

const MINUTE_MS = 60_000;

/**
 * At most `perMinute` calls of a pipeline in any sixty seconds. Each call's time is kept until then: a bucket that fills up again would let
 * twice as many through in its first minute.
 */
export function createCallBudget(perMinute: number, clock: Clock): CallBudget {
  /** Oldest first. */
  const callTimesMs = new Map<string, number[]>();

  return {
    spend: (pipelineId) => {
      const nowMs = clock.monotonicMs();
      const times = callTimesMs.get(pipelineId) ?? [];
      const firstOfMinute = times.findIndex((atMs) => nowMs - atMs < MINUTE_MS);
      times.splice(0, firstOfMinute === -1 ? times.length : firstOfMinute);
      const [oldestMs] = times;
      if (oldestMs !== undefined && times.length >= perMinute)
        throw new OverBudget(
          "too many upstream calls by this pipeline",
          Math.ceil((oldestMs + MINUTE_MS - nowMs) / 1000),
        );
      callTimesMs.delete(pipelineId);
      const quietest = callTimesMs.size >= REMEMBERED_PIPELINES ? callTimesMs.keys().next() : undefined;
      if (quietest?.done === false) callTimesMs.delete(quietest.value);
      times.push(nowMs);
      callTimesMs.set(pipelineId, times);
    },
  };
}
