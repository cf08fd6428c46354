import type { Clock } from "../lib/clock.ts";
import { OverBudget } from "../lib/over-budget.ts";

/** More pipelines than this in a minute, and the one that was quiet longest is forgotten. */
const REMEMBERED_PIPELINES = 10_000;

/** What one pipeline may cause in calls to GitHub and Buildkite. Protects the others' share of the upstreams' rate limits. */
export interface CallBudget {
  /** Counts one call. Throws `OverBudget` when the pipeline has used up its share. */
  readonly spend: (pipelineId: string) => void;
}

/** A bucket of `perMinute` calls for each pipeline that fills up again evenly. */
export function createCallBudget(perMinute: number, clock: Clock): CallBudget {
  const buckets = new Map<string, { readonly left: number; readonly atMs: number }>();
  const perMs = perMinute / 60_000;

  return {
    spend: (pipelineId) => {
      const nowMs = clock.monotonicMs();
      const bucket = buckets.get(pipelineId);
      const left = bucket === undefined ? perMinute : Math.min(perMinute, bucket.left + (nowMs - bucket.atMs) * perMs);
      if (left < 1) {
        throw new OverBudget("too many upstream calls by this pipeline", Math.ceil((1 - left) / perMs / 1000));
      }
      buckets.delete(pipelineId);
      const oldest = buckets.size >= REMEMBERED_PIPELINES ? buckets.keys().next() : undefined;
      if (oldest?.done === false) buckets.delete(oldest.value);
      buckets.set(pipelineId, { left: left - 1, atMs: nowMs });
    },
  };
}
