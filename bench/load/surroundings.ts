import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import type { AskedRequest } from "./wrk.ts";

/** The outside world of the load, with as many pipelines as are asked for. */
export interface Surroundings extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly environment: Readonly<Record<string, string>>;
  /** Requests of the pipeline `widget`, each with a JWT of its own. */
  readonly repeat: (count: number, path: string, body?: string) => AskedRequest[];
  /** One request of each of the pipelines that were added. */
  readonly ofEachPipeline: (path: string) => AskedRequest[];
}

export async function createSurroundings(addedPipelines: number): Promise<Surroundings> {
  const simulator = await startSimulator();
  const added = Array.from({ length: addedPipelines }, (_none, index) => ({
    id: `0195c4e6-c88c-4e5e-9b3a-${String(index).padStart(12, "0")}`,
    slug: `service-${index}`,
  }));
  const [organization] = simulator.world.buildkite.organizations;
  for (const { id, slug } of added) {
    organization?.pipelines.push({ id, slug, name: slug, repository: "https://github.com/acme/widget.git" });
  }
  return {
    simulator,
    environment: simulator.environment(),
    repeat: (count, path, body) =>
      Array.from({ length: count }, (_none, jti) => ({
        path,
        jwt: simulator.oidc.issueToken({ jti: String(jti) }),
        ...(body === undefined ? {} : { body }),
      })),
    ofEachPipeline: (path) =>
      added.map(({ id, slug }) => ({
        path,
        jwt: simulator.oidc.issueToken({ pipeline_id: id, pipeline_slug: slug }),
      })),
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  };
}
