import type { Asker } from "./journal.ts";
import type { JsonObject } from "./json.ts";
import type { Asked } from "./upstream-server.ts";
import { findOrganization, type BuildkiteOrganization, type BuildkiteWorld, type Pipeline } from "./world.ts";

/** Per organization and minute. The simulator tells it and does not enforce it; an interceptor does. */
const RATE_LIMIT_HEADERS = { "ratelimit-limit": "200", "ratelimit-remaining": "199", "ratelimit-reset": "60" };

/** Buildkite's REST API as far as the service needs it: pipelines, and what a token may do. https://buildkite.com/docs/apis/rest-api/pipelines */
export function answerBuildkite(world: BuildkiteWorld, url: string, asked: Asked): Response {
  const bearer = /^Bearer (.+)$/.exec(asked.headers.get("authorization") ?? "")?.[1];
  const token = world.apiTokens.find((one) => one.token === bearer);
  if (token === undefined) return failure(401, "Authentication required. Please supply a valid API Access Token");
  if (asked.method === "GET" && asked.segments.join("/") === "v2/access-token") {
    // https://buildkite.com/docs/apis/rest-api/access-token: needs no scope.
    return Response.json({ uuid: "0183c4e6-c88c-4e5e-9b3a-000000009001", scopes: token.scopes });
  }
  const [version, organizations, organizationSlug, pipelines, pipelineSlug, ...rest] = asked.segments;
  const known = version === "v2" && organizations === "organizations" && pipelines === "pipelines";
  if (!known || rest.length > 0 || asked.method !== "GET" || organizationSlug === undefined) {
    return failure(404, "Not Found");
  }
  const organization = findOrganization(world, organizationSlug);
  if (organization === undefined || !token.organizationIds.includes(organization.id)) {
    return failure(404, "No organization found");
  }
  if (!token.scopes.includes("read_pipelines")) {
    return failure(403, "Your access token does not have the read_pipelines scope");
  }
  if (pipelineSlug === undefined) {
    const shown = organization.pipelines.slice(0, Number(asked.query.get("per_page") ?? 30));
    const described = shown.map((one) => describePipeline(url, organization, one));
    return Response.json(described, { headers: RATE_LIMIT_HEADERS });
  }
  const pipeline = organization.pipelines.find(({ slug }) => slug === pipelineSlug);
  if (pipeline === undefined) return failure(404, "No pipeline found");
  return Response.json(describePipeline(url, organization, pipeline), { headers: RATE_LIMIT_HEADERS });
}

export function identifyApiCaller(headers: Headers): Asker {
  const value = headers.get("authorization");
  if (value === null) return { authorization: "none" };
  return { authorization: value.startsWith("Bearer ") ? "buildkite-api-token" : "unknown" };
}

function describePipeline(api: string, organization: BuildkiteOrganization, pipeline: Pipeline): JsonObject {
  const url = `${api}/v2/organizations/${organization.slug}/pipelines/${pipeline.slug}`;
  const web = `https://buildkite.com/${organization.slug}/${pipeline.slug}`;
  return {
    id: pipeline.id,
    graphql_id: Buffer.from(`Pipeline---${pipeline.id}`).toString("base64"),
    url,
    web_url: web,
    name: pipeline.name,
    description: null,
    slug: pipeline.slug,
    repository: pipeline.repository,
    cluster_id: null,
    branch_configuration: null,
    default_branch: "main",
    skip_queued_branch_builds: false,
    cancel_running_branch_builds: false,
    allow_rebuilds: true,
    provider: {
      id: /github\.com/.test(pipeline.repository) ? "github" : "unknown",
      webhook_url: "https://webhook.buildkite.com/deliver/0000",
      settings: { trigger_mode: "code", build_pull_requests: true, build_branches: true, build_tags: false },
    },
    builds_url: `${url}/builds`,
    badge_url: `https://badge.buildkite.com/0000.svg`,
    created_at: "2024-05-03T04:17:55.867Z",
    archived_at: null,
    env: null,
    scheduled_builds_count: 0,
    running_builds_count: 1,
    visibility: "private",
    tags: null,
    steps: [{ type: "script", name: "build", command: "make", env: {}, agent_query_rules: [] }],
  };
}

function failure(status: number, message: string): Response {
  return Response.json({ message }, { status, headers: RATE_LIMIT_HEADERS });
}
