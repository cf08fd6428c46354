import type { JsonObject } from "./json.ts";
import type { BuildkiteWorld, Job } from "./world.ts";

/** What a token lives for unless its job asks otherwise. */
export const DEFAULT_LIFETIME_SECONDS = 300;

export interface TokenRequest {
  readonly issuer: string;
  readonly audience: string;
  readonly nowMs: number;
  readonly lifetimeSeconds?: number;
}

/**
 * The claims that Buildkite puts into every token of a job. A build without a tag and a step without a key have null there.
 * https://buildkite.com/docs/pipelines/security/oidc
 */
export function jobClaims(world: BuildkiteWorld, job: Job, request: TokenRequest): JsonObject {
  const { organization, pipeline } = placeOf(world, job);
  const issuedAt = Math.floor(request.nowMs / 1000);
  const ref = job.tag === null ? `refs/heads/${job.branch}` : `refs/tags/${job.tag}`;
  return {
    iss: request.issuer,
    sub: `organization:${organization.slug}:pipeline:${pipeline.slug}:ref:${ref}:commit:${job.commit}:step:${job.stepKey ?? ""}`,
    aud: request.audience,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + (request.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS),
    organization_slug: organization.slug,
    pipeline_slug: pipeline.slug,
    build_number: job.buildNumber,
    build_branch: job.branch,
    build_tag: job.tag,
    build_commit: job.commit,
    step_key: job.stepKey,
    job_id: job.id,
    agent_id: job.agentId,
  };
}

/** The claims that a job gets only when it asks for them by name (`--claim`); null where the job has none of the kind. */
export function claimsOnRequest(world: BuildkiteWorld, job: Job): JsonObject {
  const { organization, pipeline } = placeOf(world, job);
  const tags = Object.entries(job.agentTags).map(([name, value]) => [`agent_tag:${name}`, value] as const);
  return {
    organization_id: organization.id,
    pipeline_id: pipeline.id,
    cluster_id: job.cluster?.id ?? null,
    cluster_name: job.cluster?.name ?? null,
    queue_id: job.queue?.id ?? null,
    queue_key: job.queue?.key ?? null,
    ...Object.fromEntries(tags),
  };
}

/** By ids, so that a renamed pipeline's job carries its new slug. */
function placeOf(world: BuildkiteWorld, job: Job) {
  const organization = world.organizations.find(({ id }) => id === job.organizationId);
  const pipeline = organization?.pipelines.find(({ id }) => id === job.pipelineId);
  if (organization === undefined || pipeline === undefined) throw new TypeError(`job ${job.id} has no pipeline`);
  return { organization, pipeline };
}
