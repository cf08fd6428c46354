import * as v from "valibot";
import { parseReply } from "../lib/parse-reply.ts";
import type { BuildkiteClient } from "./client.ts";

const TokenReply = v.object({ scopes: v.array(v.string()) });
const PipelinesReply = v.array(v.object({ slug: v.string() }));

/**
 * What the API token may do (`GET /v2/access-token`, which needs no scope). Throws `UpstreamFault`.
 * Source: buildkite.com/docs/apis/rest-api/access-token.
 */
export async function readScopes(client: BuildkiteClient): Promise<readonly string[]> {
  const operation = "read API token";
  const response = await client.get(operation, "/v2/access-token");
  return parseReply(TokenReply, response, { upstream: "buildkite", operation }).scopes;
}

/** Whether the organization shows this token any pipeline: one at most is asked for. Throws `UpstreamFault`. */
export async function hasPipelines(client: BuildkiteClient, organizationSlug: string): Promise<boolean> {
  const operation = "list pipelines";
  const path = `/v2/organizations/${encodeURIComponent(organizationSlug)}/pipelines?per_page=1`;
  const response = await client.get(operation, path);
  return parseReply(PipelinesReply, response, { upstream: "buildkite", operation }).length > 0;
}
