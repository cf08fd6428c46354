import type { Simulator } from "../../src/simulator/simulator.ts";

/** How long the outside world took for the requests of each pipeline, as long as one request at a time is made. */
export interface UpstreamTimes {
  /** From now on each upstream call takes so much longer. */
  readonly answerAfter: (delayMs: number) => void;
  /** The time that each audit line tells, less its upstream calls', in milliseconds. Lines that tell none are left out. */
  readonly addedTo: (lines: readonly string[]) => number[];
}

export function createUpstreamTimes(simulator: Simulator): UpstreamTimes {
  const timesMs = new Map<string, number>();
  let pipeline = "";
  let delayMs = 0;
  simulator.interceptor = async ({ url }, _upstream, proceed) => {
    const startedMs = performance.now();
    // Buildkite is asked for the pipeline; the call to GitHub that follows is for the same.
    const [, named] = /\/pipelines\/([^/?]+)/.exec(url) ?? [];
    if (named !== undefined) timesMs.set((pipeline = named), 0);
    if (delayMs > 0) await Bun.sleep(delayMs);
    const response = await proceed();
    timesMs.set(pipeline, (timesMs.get(pipeline) ?? 0) + performance.now() - startedMs);
    return response;
  };
  return {
    answerAfter: (ms) => {
      delayMs = ms;
    },
    addedTo: (lines) =>
      lines.flatMap((line) => {
        const [, named = ""] = /"pipelineSlug":"([^"]+)"/.exec(line) ?? [];
        const [, totalMs] = /"durationMs":([\d.]+)/.exec(line) ?? [];
        const upstreamMs = timesMs.get(named);
        return totalMs === undefined || upstreamMs === undefined ? [] : [Number(totalMs) - upstreamMs];
      }),
  };
}
