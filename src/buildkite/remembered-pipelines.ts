import type { Clock } from "../lib/clock.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { isOutage, isRefusal } from "../lib/upstream-verdict.ts";
import type { Pipeline, Pipelines } from "./pipelines.ts";

/** How old an answer may be that stands in for one that cannot be had: so long a pipeline that moves may be taken for where it was. */
const USABLE_MS = 15 * 60_000;
/** After a failure, what is remembered is used at once for so long: nobody waits to learn again that Buildkite hangs. */
const KNOWN_DOWN_MS = 4_000;
/** How long a request to slow down is obeyed at most; clients come back after a minute at the latest. */
const LONGEST_HOLD_MS = 60_000;
const CAPACITY = 10_000;

interface Remembered {
  readonly pipeline: Pipeline;
  readonly askedAtMs: number;
}

/**
 * Buildkite's answers, remembered for when it is down and only then. A refusal is an answer: it ends what was remembered, and so does
 * an answer that breaks Buildkite's own rules. Whoever wants a fresh answer gets that or the failure.
 */
export function rememberPipelines(pipelines: Pipelines, clock: Clock): Pipelines {
  const answers = new Map<string, Remembered>();
  let knownDownUntilMs = Number.NEGATIVE_INFINITY;
  let heldUntilMs = Number.NEGATIVE_INFINITY;

  const remember = (key: string, pipeline: Pipeline, askedAtMs: number): void => {
    answers.delete(key);
    const oldest = answers.size >= CAPACITY ? answers.keys().next() : undefined;
    if (oldest?.done === false) answers.delete(oldest.value);
    answers.set(key, { pipeline, askedAtMs });
  };
  const recall = (key: string): Pipeline | undefined => {
    const known = answers.get(key);
    return known !== undefined && clock.monotonicMs() - known.askedAtMs < USABLE_MS ? known.pipeline : undefined;
  };
  const noteOutage = ({ details }: UpstreamFault): void => {
    const nowMs = clock.monotonicMs();
    knownDownUntilMs = nowMs + KNOWN_DOWN_MS;
    const holdMs = details.status === 429 ? (details.retryAfterSeconds ?? 0) * 1000 : 0;
    heldUntilMs = Math.max(heldUntilMs, nowMs + Math.min(holdMs, LONGEST_HOLD_MS));
  };

  return {
    read: async (organizationSlug, pipelineSlug, asker) => {
      const key = `${organizationSlug}/${pipelineSlug}`;
      const askedAtMs = clock.monotonicMs();
      const standIn = asker.isFresh ? undefined : recall(key);
      if (standIn !== undefined && askedAtMs < Math.max(knownDownUntilMs, heldUntilMs)) return standIn;
      if (askedAtMs < heldUntilMs) throw held(heldUntilMs - askedAtMs);
      try {
        const pipeline = await pipelines.read(organizationSlug, pipelineSlug, asker);
        knownDownUntilMs = Number.NEGATIVE_INFINITY;
        remember(key, pipeline, askedAtMs);
        return pipeline;
      } catch (error) {
        if (!isOutage(error)) {
          if (isRefusal(error) || error instanceof UpstreamFault) answers.delete(key);
          throw error;
        }
        noteOutage(error);
        // As old as it is by now: a process may have been stopped meanwhile.
        const stillGood = asker.isFresh ? undefined : recall(key);
        if (stillGood === undefined) throw error;
        return stillGood;
      }
    },
  };
}

function held(leftMs: number): UpstreamFault {
  return new UpstreamFault("upstream-unavailable", "read pipeline: Buildkite said to slow down", {
    upstream: "buildkite",
    retryAfterSeconds: Math.ceil(leftMs / 1000),
  });
}
