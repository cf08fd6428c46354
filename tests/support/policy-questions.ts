import { expect } from "bun:test";
import * as fc from "fast-check";
import type { ProfileReference } from "../../src/profiles/reference.ts";
import type { Explanation } from "../../src/vending/explain.ts";
import { OWNER } from "./in-process-service.ts";

export const NAMES = ["a", "b", "c", "d"];
const REPOSITORIES = ["widget", "gadget", "policy"];
export const CLAIMS = [
  "pipeline_slug",
  "pipeline_id",
  "build_number",
  "build_branch",
  "build_tag",
  "queue_key",
  "agent_tag:os",
];
const VALUES = ["main", "MAIN", "widget", "7", "x y", "", "v".repeat(257), "linux"];

const rule = fc.oneof(
  fc.record({ claim: fc.constantFrom(...CLAIMS), value: fc.constantFrom("main", "widget", "7", "linux") }),
  fc.record({
    claim: fc.constantFrom(...CLAIMS),
    valuePattern: fc.constantFrom(".*", "main|linux", "(?i)main", "[a-z]+", "\\d+", "widget.*", "a)(b"),
  }),
  fc.record({ claim: fc.constantFrom("step_key", "build_branch") }),
);
const common = {
  name: fc.constantFrom(...NAMES),
  permissions: fc.constantFrom(
    ["contents:read"],
    ["contents:write", "issues:read"],
    ["metadata:read"],
    ["pull_requests:write"],
    ["packages:read"],
    [],
    ["x:read"],
  ),
  match: fc.option(fc.array(rule, { maxLength: 3 }), { nil: undefined }),
  app: fc.constantFrom(undefined, undefined, "default", "packages", "unknown"),
};
const repositories = fc.constantFrom(
  ["widget"],
  ["widget", "Gadget"],
  ["{{all-repositories}}"],
  ["*"],
  ["{{caller-scoped-repository}}"],
  ["{{caller-scoped-repository}}"],
  [],
  ["acme/widget"],
);
/** Mostly of different names: of a repeated name none is available. */
const several = <T extends { name: string }>(profile: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.uniqueArray(profile, { maxLength: 4, selector: ({ name }) => name }) },
    { weight: 1, arbitrary: fc.array(profile, { maxLength: 4 }) },
  );
/** Policies that name the Apps `packages`, which there is, and `unknown`. */
export const policy = fc.record({
  pipeline: fc.record({
    defaults: fc.constantFrom(undefined, { permissions: ["contents:write"] }),
    profiles: several(fc.record(common)),
  }),
  organization: fc.record({ profiles: several(fc.record({ ...common, repositories })) }),
});
/** Of a policy and a caller, this is asked: a profile, on the routes that serve it, with a repository or without. */
const question = fc.record({
  reference: fc.record({
    kind: fc.constantFrom("pipeline" as const, "organization" as const),
    name: fc.constantFrom("default", ...NAMES),
  }),
  repository: fc.option(fc.constantFrom(...REPOSITORIES, "WIDGET"), { freq: 2, nil: undefined }),
});
export const text = fc.constantFrom(...VALUES);
const optional = fc.option(text, { nil: undefined });
const claims = fc.record({
  organization_slug: fc.constant(OWNER),
  pipeline_slug: fc.constantFrom("widget", "gadget", "main"),
  build_number: fc.constantFrom(0, 7, 42),
  build_branch: text.filter((value) => value !== ""),
  build_commit: fc.constant("abc"),
  job_id: fc.constant("j"),
  agent_id: fc.constant("a"),
  build_tag: fc.oneof(optional, fc.constant(null)),
  queue_key: optional,
  "agent_tag:os": optional,
});

/** Somebody with these claims, of the pipeline that they name, asks this. */
export const asked = fc.tuple(claims, question);

/** What an explanation promises of a reply. */
export function summarize(explained: Explanation, slug: string): Record<string, unknown> {
  switch (explained.outcome) {
    case "granted": {
      const { permissions, repositories: named } = explained.request;
      const [first] = named;
      const reached = first === "{{all-repositories}}" ? "all" : first === "{{pipeline-repository}}" ? [slug] : named;
      return { outcome: "granted", permissions, repositories: normalize(reached) };
    }
    case "refused":
      expect(explained.failedRules.length + explained.reasons.length).toBeGreaterThan(0);
      return { outcome: "refused" };
    case "unavailable":
    case "needs-scope":
    case "not-found":
      return { outcome: explained.outcome };
  }
}

/** GitHub takes every spelling of case for one repository, and so does the cache. */
export function normalize(reached: "all" | readonly string[]): "all" | readonly string[] {
  return reached === "all" ? "all" : reached.map((name) => name.toLowerCase());
}

/** What a reply without a token says. */
export function outcomeOf(status: number, denied: string | null, body: string): string {
  const message = denied ?? (body.startsWith("{") ? JSON.parse(body).error : body);
  if (status === 400 && message === "repository scope is required for this profile") return "needs-scope";
  if (status === 403 || (status === 200 && body === "")) return "refused";
  if (status === 404) return message === "profile not found" ? "not-found" : "unavailable";
  return `${status} ${message}`;
}

export interface Asking {
  readonly path: string;
  /** Git's attributes; absent on token routes. */
  readonly body?: string;
}

/** Every request that comes to the same question. */
export function askingsFor(
  { kind, name }: ProfileReference,
  repository: string | undefined,
  isScoped = false,
): readonly Asking[] {
  const route = kind === "pipeline" ? "" : "organization/";
  const token = `/${route}token/${name}`;
  if (repository === undefined) return [{ path: token }];
  const body = `protocol=https\nhost=github.com\npath=${OWNER}/${repository}.git\n\n`;
  const git = { path: `/${route}git-credentials/${name}`, body };
  if (kind === "pipeline") return [git, { path: token }];
  return isScoped ? [git, { path: `${token}?repository-scope=${repository}` }] : [git];
}
