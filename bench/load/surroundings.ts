import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import type { AskedRequest } from "./requests.ts";

/** The outside world of the load, with as many pipelines as are asked for. */
export interface Surroundings extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly environment: Readonly<Record<string, string>>;
  /** Requests of the pipeline `widget`, each with a JWT of its own. */
  readonly repeat: (count: number, path: string, body?: string) => AskedRequest[];
  /** One request of each of the pipelines that were added, or of the first of them. */
  readonly ofEachPipeline: (path: string, count?: number) => AskedRequest[];
}

/** Longer than any run: a job's own token would expire in the middle of one, and every request from then on be refused. */
const LIFETIME_SECONDS = 12 * 3600;

export async function createSurroundings(addedPipelines: number): Promise<Surroundings> {
  const simulator = await startSimulator();
  // The load asks for more in a minute than GitHub grants in an hour.
  simulator.github.rateLimit.limit = Number.MAX_SAFE_INTEGER;
  const added = Array.from({ length: addedPipelines }, (_none, index) => ({
    id: `0195c4e6-c88c-4e5e-9b3a-${String(index).padStart(12, "0")}`,
    slug: `service-${index}`,
  }));
  const [organization] = simulator.world.buildkite.organizations;
  for (const { id, slug } of added) {
    organization?.pipelines.push({ id, slug, name: slug, repository: "https://github.com/acme/widget.git" });
  }
  const issue = (claims: Readonly<Record<string, string>>): string =>
    simulator.oidc.issueToken({ ...claims, exp: Math.floor(Date.now() / 1000) + LIFETIME_SECONDS });
  return {
    simulator,
    environment: simulator.environment(),
    repeat: (count, path, body) =>
      Array.from({ length: count }, (_none, jti) => ({
        path,
        jwt: issue({ jti: String(jti) }),
        ...(body === undefined ? {} : { body }),
      })),
    ofEachPipeline: (path, count = added.length) =>
      added.slice(0, count).map(({ id, slug }) => ({ path, jwt: issue({ pipeline_id: id, pipeline_slug: slug }) })),
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  };
}
