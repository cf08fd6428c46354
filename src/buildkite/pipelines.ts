import * as v from "valibot";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import { parseReply } from "../lib/parse-reply.ts";
import type { Secret } from "../lib/secret.ts";
import { createBuildkiteClient } from "./client.ts";

const PipelineReply = v.object({ id: v.string(), repository: v.nullish(v.string()) });

export interface Pipeline {
  readonly id: string;
  /** As Buildkite has it, in any of git's spellings; absent when the pipeline names none. */
  readonly repository?: string;
}

export interface PipelineAsker {
  /** The pipeline that the call is made for. */
  readonly caller: string;
  /** Nothing but Buildkite's answer of now will do. */
  readonly isFresh: boolean;
}

export interface Pipelines {
  /** Reads one pipeline (`GET /v2/organizations/ORG/pipelines/SLUG`). Throws `UpstreamFault`, and `OverBudget` for its caller. */
  readonly read: (organizationSlug: string, pipelineSlug: string, asker: PipelineAsker) => Promise<Pipeline>;
}

export function createPipelines(apiUrl: URL, apiToken: Secret, fetch: BoundedFetch): Pipelines {
  const client = createBuildkiteClient(apiUrl, apiToken, fetch);
  const operation = "read pipeline";
  return {
    read: async (organizationSlug, pipelineSlug, { caller }) => {
      const organization = encodeURIComponent(organizationSlug);
      const path = `/v2/organizations/${organization}/pipelines/${encodeURIComponent(pipelineSlug)}`;
      const response = await client.get(operation, path, caller);
      const { id, repository } = parseReply(PipelineReply, response, { upstream: "buildkite", operation });
      return typeof repository === "string" && repository !== "" ? { id, repository } : { id };
    },
  };
}
