import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readBuildkiteIdentity, readMatchableClaims } from "../../src/oidc/buildkite-claims.ts";
import type { BuildkiteIdentity } from "../../src/oidc/buildkite-identity.ts";
import { compileFile } from "../../src/profiles/compile.ts";
import { listProfiles } from "../../src/profiles/list-profiles.ts";
import type { ProfileReference } from "../../src/profiles/reference.ts";
import { explainProfile, type Explanation } from "../../src/vending/explain.ts";
import { createInProcessService, OWNER, type InProcessService, type Reply } from "../support/in-process-service.ts";

const NAMES = ["a", "b", "c", "d"];
const REPOSITORIES = ["widget", "gadget", "policy"];
const CLAIMS = [
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
  app: fc.constantFrom(undefined, undefined, "default", "writer", "unknown"),
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
const policy = fc.record({
  pipeline: fc.record({
    defaults: fc.constantFrom(undefined, { permissions: ["contents:write"] }),
    profiles: several(fc.record(common)),
  }),
  organization: fc.record({ profiles: several(fc.record({ ...common, repositories })) }),
});
/** Of a policy and a caller, each of these is asked: a profile, on the routes that serve it, with a repository or without. */
const question = fc.record({
  reference: fc.record({
    kind: fc.constantFrom("pipeline" as const, "organization" as const),
    name: fc.constantFrom("default", ...NAMES),
  }),
  repository: fc.option(fc.constantFrom(...REPOSITORIES, "WIDGET"), { freq: 2, nil: undefined }),
});
const text = fc.constantFrom(...VALUES);
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

const TRIPLES = 5_000;
const QUESTIONS_PER_POLICY = 10;

describe("profiles explain", () => {
  test(`says of ${TRIPLES} triples of policy, claims and request what the service answers`, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        policy,
        fc.array(fc.tuple(claims, question), {
          minLength: QUESTIONS_PER_POLICY,
          maxLength: QUESTIONS_PER_POLICY,
        }),
        async (document, questions) => {
          const yaml = JSON.stringify(document);
          const service = createInProcessService(yaml, { apps: ["writer"] });
          const explain = createExplainer(yaml);
          for (const [caller, { reference, repository: wanted }] of questions) {
            // A pipeline's repository is given, not chosen: in this world it has the name of the slug.
            const isOwn = reference.kind === "pipeline" && wanted !== undefined;
            const repository = isOwn ? caller.pipeline_slug : wanted;
            const payload = withoutUndefined({ ...caller, pipeline_id: `id-of-${caller.pipeline_slug}` });
            const explained = explain(payload, reference, repository);
            seen.set(explained.outcome, (seen.get(explained.outcome) ?? 0) + 1);
            const told = summarize(explained, caller.pipeline_slug);
            const isScoped = reachOf(yaml, reference) === "caller-scoped";
            for (const request of requestsFor(reference, repository, isScoped)) {
              expect({ request: request.url, ...told }).toEqual({
                request: request.url,
                ...(await observe(service, identityOf(payload), request)),
              });
            }
          }
        },
      ),
      { numRuns: TRIPLES / QUESTIONS_PER_POLICY },
    );
    // An agreement on one outcome alone would show little.
    for (const outcome of ["granted", "refused", "unavailable", "needs-scope", "not-found"]) {
      expect([outcome, (seen.get(outcome) ?? 0) > TRIPLES / 200]).toEqual([outcome, true]);
    }
  }, 60_000);

  test("lists exactly the profiles that somebody can ask for", async () => {
    await fc.assert(
      fc.asyncProperty(policy, async (document) => {
        const { generation } = compile(JSON.stringify(document));
        const listed = new Set(listProfiles(generation).map(({ kind, name }) => `${kind} ${name}`));
        const identity = identityOf(withoutUndefined(BASIC_CLAIMS));
        const service = createInProcessService(JSON.stringify(document), { apps: ["writer"] });
        for (const kind of ["pipeline", "organization"] as const) {
          for (const name of ["default", ...NAMES]) {
            const [request] = requestsFor({ kind, name }, undefined);
            if (request === undefined) throw new Error("there is always one");
            const { text: reply } = await service.ask(identity, request);
            expect([kind, name, listed.has(`${kind} ${name}`)]).toEqual([kind, name, !reply.includes("not found")]);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("reads claims as the verifier does, whatever they are", () => {
    const anything = fc.oneof(text, fc.constant(null), fc.integer(), fc.boolean(), fc.string(), fc.constant(undefined));
    const odd = fc.dictionary(fc.constantFrom(...CLAIMS, "build_commit", "agent_tag:", "other"), anything, {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(odd, (changes) => {
        const payload = withoutUndefined({ ...BASIC_CLAIMS, ...changes });
        const verified = attempt(() => identityOf(payload).claims);
        const read = attempt(() => readMatchableClaims(payload));
        if (verified !== undefined) expect(read).toEqual({ claims: verified, missing: [] });
        else expect(read === undefined || read.missing.length > 0).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

const BASIC_CLAIMS = {
  organization_slug: OWNER,
  pipeline_slug: "widget",
  pipeline_id: "id-of-widget",
  build_number: 1,
  build_branch: "main",
  build_commit: "abc",
  job_id: "j",
  agent_id: "a",
};

function compile(yaml: string) {
  const compilation = compileFile(new TextEncoder().encode(yaml), "d".repeat(64));
  if (compilation.kind === "refused") throw new Error(JSON.stringify(compilation.findings));
  return compilation.policy;
}

function reachOf(yaml: string, { kind, name }: ProfileReference): string | undefined {
  const profile = kind === "organization" ? compile(yaml).generation.organizationProfiles.get(name) : undefined;
  return profile?.kind === "organization" ? profile.reach.kind : undefined;
}

function createExplainer(yaml: string) {
  const { generation } = compile(yaml);
  return (payload: Record<string, unknown>, reference: ProfileReference, repository: string | undefined) =>
    explainProfile(reference, {
      generation,
      claims: readMatchableClaims(payload).claims,
      isAppUsable: (name) => name === "writer",
      repository,
      protectedRepository: "policy",
    });
}

/** What an explanation promises of a reply. */
function summarize(explained: Explanation, slug: string): Record<string, unknown> {
  switch (explained.outcome) {
    case "granted": {
      const { permissions, repositories: named } = explained.request;
      const [first] = named;
      const asked = first === "{{all-repositories}}" ? "all" : first === "{{pipeline-repository}}" ? [slug] : named;
      return { outcome: "granted", permissions, repositories: normalize(asked) };
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
function normalize(reached: "all" | readonly string[]): "all" | readonly string[] {
  return reached === "all" ? "all" : reached.map((name) => name.toLowerCase());
}

async function observe(
  service: InProcessService,
  identity: BuildkiteIdentity,
  request: Request,
): Promise<Record<string, unknown>> {
  const { status, headers, text: body, asked }: Reply = await service.ask(identity, request);
  if (asked !== undefined) {
    const reached = normalize(asked.repositories.kind === "all" ? "all" : asked.repositories.names);
    return { outcome: "granted", permissions: asked.permissions, repositories: reached };
  }
  const message = headers.get("chinmina-denied") ?? (body.startsWith("{") ? JSON.parse(body).error : body);
  if (status === 400 && message === "repository scope is required for this profile") return { outcome: "needs-scope" };
  if (status === 403 || (status === 200 && body === "")) return { outcome: "refused" };
  if (status === 404) return { outcome: message === "profile not found" ? "not-found" : "unavailable" };
  return { outcome: `${status} ${message}` };
}

/** Every request that comes to the same question. */
function requestsFor(
  { kind, name }: ProfileReference,
  repository: string | undefined,
  isScoped = false,
): readonly Request[] {
  const route = kind === "pipeline" ? "" : "organization/";
  const token = `/${route}token/${name}`;
  if (repository === undefined) return [post(token)];
  const body = `protocol=https\nhost=github.com\npath=${OWNER}/${repository}.git\n\n`;
  const git = post(`/${route}git-credentials/${name}`, body);
  if (kind === "pipeline") return [git, post(token)];
  return isScoped ? [git, post(`${token}?repository-scope=${repository}`)] : [git];
}

function post(path: string, body?: string): Request {
  const headers = { authorization: "Bearer x", host: "bridge" };
  return new Request(`http://bridge${path}`, { method: "POST", headers, ...(body === undefined ? {} : { body }) });
}

function identityOf(payload: Record<string, unknown>): BuildkiteIdentity {
  const registered = {
    issuer: "i",
    subject: "s",
    audience: ["a"],
    expiresAtEpochSeconds: 4_000_000_000,
    notBeforeEpochSeconds: 0,
    payload,
  };
  return readBuildkiteIdentity(registered, { organizationSlug: OWNER });
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(record));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
