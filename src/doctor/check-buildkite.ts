import { hasPipelines, readScopes } from "../buildkite/api-access.ts";
import { createBuildkiteClient } from "../buildkite/client.ts";
import type { Configuration } from "../config/configuration.ts";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import type { Clock } from "../lib/clock.ts";
import { type Check, failed, ok, warning } from "./check.ts";
import { examine } from "./examine.ts";
import { explainFault } from "./explain-fault.ts";

const explain = explainFault({
  unavailable: "buildkite-unavailable",
  refused: "buildkite-malformed",
  malformed: "buildkite-malformed",
  byStatus: new Map([
    [401, "buildkite-token-refused"],
    [403, "buildkite-scope-missing"],
  ]),
});

const explainPipelines = explainFault({
  unavailable: "buildkite-unavailable",
  refused: "buildkite-malformed",
  malformed: "buildkite-malformed",
  byStatus: new Map([
    [401, "buildkite-token-refused"],
    [403, "buildkite-scope-missing"],
    [404, "buildkite-organization-unknown"],
  ]),
});

/** Whether pipelines' repositories could be looked up: the API token, its scope, and the organization. */
export async function checkBuildkite(
  { buildkite, jwt }: Pick<Configuration, "buildkite" | "jwt">,
  fetch: BoundedFetch,
  clock: Clock,
): Promise<Check> {
  const client = createBuildkiteClient(buildkite.apiUrl, buildkite.apiToken, fetch);
  const slug = jwt.organizationSlug;
  const { check } = await examine("Buildkite", clock, async ({ run, skip }) => {
    const scopes = await run(
      "API token",
      async () => {
        const held = await readScopes(client);
        if (!held.includes("read_pipelines")) {
          return failed("buildkite-scope-missing", `the token has ${held.join(", ") || "no scope at all"}`);
        }
        const detail = `the token has ${held.join(", ")}`;
        return held.length > 1 ? warning("buildkite-token-too-wide", detail, held) : ok(detail, held);
      },
      explain,
    );
    const name = `pipelines of ${slug}`;
    if (scopes === undefined) return skip(name, "the API token cannot ask for them");
    await run(
      name,
      async () => ok((await hasPipelines(client, slug)) ? "they can be read" : "there are none yet", undefined),
      explainPipelines,
    );
  });
  return check;
}
