import { POLICY_PATH } from "./default-world.ts";
import { findRepository, type Installation, type Job, type Pipeline, type Repository, type World } from "./world.ts";

/** Parts of the world by name, to read and to change. Each throws `TypeError` when it is not there. */
export interface WorldLookup {
  readonly pipeline: (slug: string) => Pipeline;
  /** The running job of a pipeline. */
  readonly jobOf: (pipelineSlug: string) => Job;
  /** `OWNER/NAME`. */
  readonly repository: (fullName: string) => Repository;
  readonly installation: (id: number) => Installation;
  /** Replaces the default world's profile file; undefined removes it. */
  readonly setPolicy: (text: string | undefined) => void;
}

export function createWorldLookup({ buildkite, github }: World): WorldLookup {
  const pipeline = (slug: string): Pipeline => {
    const all = buildkite.organizations.flatMap(({ pipelines }) => pipelines);
    return found(
      `pipeline ${slug}`,
      all.find((one) => one.slug === slug),
    );
  };
  const repository = (fullName: string): Repository => {
    const [owner = "", name = ""] = fullName.split("/");
    return found(`repository ${fullName}`, findRepository(github, owner, name));
  };
  return {
    pipeline,
    jobOf: (slug) => {
      const { id } = pipeline(slug);
      return found(
        `job of ${slug}`,
        buildkite.jobs.find(({ pipelineId }) => pipelineId === id),
      );
    },
    repository,
    installation: (id) =>
      found(
        `installation ${id}`,
        github.installations.find((one) => one.id === id),
      ),
    setPolicy: (text) => {
      const branch = found("policy branch", repository("acme/policy").branches.get("main"));
      if (text === undefined) branch.delete(POLICY_PATH);
      else branch.set(POLICY_PATH, { kind: "file", content: text });
    },
  };
}

function found<Thing>(what: string, thing: Thing | undefined): Thing {
  if (thing === undefined) throw new TypeError(`the simulated world has no ${what}`);
  return thing;
}
