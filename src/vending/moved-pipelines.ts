import type { Pipelines } from "../buildkite/pipelines.ts";
import { parsePipelineRepository } from "../github/repository-url.ts";
import type { Clock } from "../lib/clock.ts";
import { isOutage, isRefusal } from "../lib/upstream-verdict.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";

/** Every fetch of a submodule asks about another repository, and Buildkite allows an organization some 200 calls a minute. */
const ASK_AGAIN_AFTER_MS = 60_000;
const REMEMBERED_PIPELINES = 10_000;

export interface MovedPipelines {
  /**
   * Whether Buildkite now names another repository for the pipeline than `repositoryUrl`. Asked at most once a minute for a pipeline;
   * in between, and while Buildkite cannot be asked, the answer is no. Throws for what is neither an answer nor an outage.
   */
  readonly hasMoved: (identity: BuildkiteIdentity, repositoryUrl: string) => Promise<boolean>;
}

export interface MovedPipelinesOptions {
  readonly pipelines: Pipelines;
  readonly webUrl: URL;
  readonly clock: Clock;
}

export function createMovedPipelines({ pipelines, webUrl, clock }: MovedPipelinesOptions): MovedPipelines {
  const askedAtMs = new Map<string, number>();

  const mayAsk = (pipelineId: string): boolean => {
    const lastMs = askedAtMs.get(pipelineId);
    if (lastMs !== undefined && clock.monotonicMs() - lastMs < ASK_AGAIN_AFTER_MS) return false;
    askedAtMs.delete(pipelineId);
    const oldest = askedAtMs.size >= REMEMBERED_PIPELINES ? askedAtMs.keys().next() : undefined;
    if (oldest?.done === false) askedAtMs.delete(oldest.value);
    askedAtMs.set(pipelineId, clock.monotonicMs());
    return true;
  };

  return {
    hasMoved: async ({ organizationSlug, pipelineSlug, pipelineId }, repositoryUrl) => {
      if (!mayAsk(pipelineId)) return false;
      try {
        const { repository } = await pipelines.read(organizationSlug, pipelineSlug, {
          caller: pipelineId,
          isFresh: true,
        });
        return parsePipelineRepository(repository ?? "", webUrl)?.httpsUrl !== repositoryUrl;
      } catch (error) {
        // A refusal is for the mint to judge: what we hold may no longer be the pipeline's.
        if (isRefusal(error)) return true;
        if (isOutage(error)) return false;
        throw error;
      }
    },
  };
}
