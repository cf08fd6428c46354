import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { BuildkiteIdentity } from "../../src/oidc/buildkite-identity.ts";
import { createInProcessService, OWNER } from "../support/in-process-service.ts";

/**
 * What GitHub is asked for is never wider than the policy says, and nobody whom the policy refuses gets anything, warm cache or cold.
 *
 * The oracle below reads the policy as data and knows nothing of the service's code: no YAML, no RE2, no cache, no Apps.
 */
interface Rule {
  readonly claim: string;
  readonly value?: string;
  readonly valuePattern?: string;
}
interface Profile {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly repositories?: readonly string[] | undefined;
  readonly match?: readonly Rule[] | undefined;
}
interface Policy {
  readonly defaults: readonly string[];
  readonly pipeline: readonly Profile[];
  readonly organization: readonly Profile[];
}
interface Caller {
  readonly slug: string;
  readonly branch: string;
  readonly tag: string | undefined;
}
interface Wish {
  readonly route: "token" | "git-credentials" | "organization/token" | "organization/git-credentials";
  readonly profile: string | undefined;
  readonly repository: string;
  readonly owner: string;
}

const SLUGS = ["widget", "widget-attacker", "main"];
const BRANCHES = ["main", "main-attacker", "xmain", "develop", "release/1", "main\n"];
const REPOSITORIES = ["widget", "gadget", "policy"];
/** Pattern and what it means, spelled out: both engines need not agree for the oracle to know. */
const PATTERNS: Readonly<Record<string, (value: string) => boolean>> = {
  main: (value) => value === "main",
  "main|develop": (value) => value === "main" || value === "develop",
  "release/.*": (value) => value.startsWith("release/") && !value.slice(8).includes("\n"),
  "^main$": (value) => value === "main",
  "(?i)MAIN": (value) => value.toLowerCase() === "main",
  ".*": (value) => !value.includes("\n"),
  "w[a-i]+dget": (value) => /^w[a-i]+dget$/.test(value) && !value.endsWith("\n"),
};

const permission = fc.constantFrom("contents:read", "contents:write", "issues:write", "packages:read", "metadata:read");
const permissions = fc.uniqueArray(permission, { minLength: 1, maxLength: 3, selector: (one) => one.split(":")[0] });
const rule: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ claim: fc.constantFrom("build_branch", "build_tag"), value: fc.constantFrom("main", "develop", "v1") }),
  fc.record({ claim: fc.constant("pipeline_slug"), value: fc.constantFrom(...SLUGS) }),
  fc.record({
    claim: fc.constantFrom("build_branch", "pipeline_slug", "build_tag"),
    valuePattern: fc.constantFrom(...Object.keys(PATTERNS)),
  }),
);
const match = fc.option(fc.array(rule, { minLength: 1, maxLength: 2 }), { nil: undefined });
const named = (name: string, reach: fc.Arbitrary<readonly string[] | undefined>) =>
  fc.record({ name: fc.constant(name), permissions, match, repositories: reach });
const noReach = fc.constant(undefined);
const reach = fc.oneof(
  fc.uniqueArray(fc.constantFrom(...REPOSITORIES), { minLength: 1, maxLength: 2 }),
  fc.constant(["{{all-repositories}}"]),
  fc.constant(["{{caller-scoped-repository}}"]),
);
const policy: fc.Arbitrary<Policy> = fc.record({
  defaults: permissions,
  pipeline: fc.tuple(named("p", noReach), named("q", noReach)),
  organization: fc.tuple(named("p", reach), named("q", reach), named("r", reach)),
});
const caller: fc.Arbitrary<Caller> = fc.record({
  slug: fc.constantFrom(...SLUGS),
  branch: fc.constantFrom(...BRANCHES),
  tag: fc.constantFrom(undefined, "v1", "main"),
});
const wish: fc.Arbitrary<Wish> = fc.record({
  route: fc.constantFrom("token", "git-credentials", "organization/token", "organization/git-credentials"),
  profile: fc.constantFrom(undefined, "p", "q", "r", "default"),
  repository: fc.constantFrom(...REPOSITORIES, "*", "..", ""),
  owner: fc.constantFrom(OWNER, OWNER, "globex"),
});

interface Allowed {
  readonly permissions: ReadonlySet<string>;
  /** Undefined: all. */
  readonly repositories: readonly string[] | undefined;
}

/** What a caller may have at most; undefined: nothing. */
function oracle(
  { defaults, pipeline, organization }: Policy,
  { slug, branch, tag }: Caller,
  asked: Wish,
): Allowed | undefined {
  const isOrganization = asked.route.startsWith("organization");
  const name = asked.profile ?? "default";
  const isDefault = !isOrganization && name === "default";
  const profile = isDefault
    ? { name, permissions: defaults }
    : (isOrganization ? organization : pipeline).find((one) => one.name === name);
  if (profile === undefined) return undefined;
  const claims: Record<string, string | undefined> = { pipeline_slug: slug, build_branch: branch, build_tag: tag };
  for (const one of ("match" in profile ? profile.match : undefined) ?? []) {
    const value = claims[one.claim];
    if (value === undefined || value.includes("\n")) return undefined;
    if (one.value !== undefined && value !== one.value) return undefined;
    if (one.valuePattern !== undefined && PATTERNS[one.valuePattern]?.(value) !== true) return undefined;
  }
  const granted = { permissions: new Set([...profile.permissions, "metadata:read"]) };
  if (!isOrganization) return { ...granted, repositories: [slug] };
  const list = ("repositories" in profile ? profile.repositories : undefined) ?? [];
  if (list[0] === "{{all-repositories}}") return { ...granted, repositories: undefined };
  if (list[0] === "{{caller-scoped-repository}}") return { ...granted, repositories: [asked.repository] };
  return { ...granted, repositories: list };
}

function toYaml({ defaults, pipeline, organization }: Policy): string {
  const clean = (profiles: readonly Profile[]) => profiles.map((one) => JSON.parse(JSON.stringify(one)) as unknown);
  return JSON.stringify({
    pipeline: { defaults: { permissions: defaults }, profiles: clean(pipeline) },
    organization: { profiles: clean(organization) },
  });
}

function identityOf({ slug, branch, tag }: Caller): BuildkiteIdentity {
  const claims = new Map([
    ["pipeline_slug", slug],
    ["build_branch", branch],
    ...(tag === undefined ? [] : [["build_tag", tag] as const]),
  ]);
  return {
    issuer: "i",
    subject: "s",
    audience: ["a"],
    expiresAtEpochSeconds: 4_000_000_000,
    organizationSlug: OWNER,
    pipelineSlug: slug,
    pipelineId: `id-of-${slug}`,
    buildNumber: 1,
    buildBranch: branch,
    jobId: "j",
    claims,
  };
}

function toRequest({ route, profile, repository, owner }: Wish): Request {
  const path = profile === undefined ? `/${route}` : `/${route}/${profile}`;
  const query = route === "organization/token" && repository !== "" ? `?repository-scope=${repository}` : "";
  return new Request(`http://bridge${path}${query}`, {
    method: "POST",
    headers: { authorization: "Bearer x", host: "bridge" },
    ...(route.endsWith("git-credentials")
      ? { body: `protocol=https\nhost=github.com\npath=${owner}/${repository}.git\n\n` }
      : {}),
  });
}

const POLICIES = Number(process.env["ORACLE_POLICIES"] ?? 4_000);
const REQUESTS_PER_POLICY = 25;

describe("policy oracle", () => {
  test(`what GitHub is asked for is never wider than the policy, over ${POLICIES * REQUESTS_PER_POLICY} requests in one warm cache a policy`, async () => {
    const outcomes = { vended: 0, refused: 0 };
    const triples = fc.array(fc.tuple(caller, wish), {
      minLength: REQUESTS_PER_POLICY,
      maxLength: REQUESTS_PER_POLICY,
    });
    await fc.assert(
      fc.asyncProperty(policy, triples, async (rules, requests) => {
        const service = createInProcessService(toYaml(rules));
        for (const [who, want] of requests) {
          const { status, asked: got } = await service.ask(identityOf(who), toRequest(want));
          expect(status).toBeLessThan(500);
          if (got === undefined) {
            outcomes.refused += 1;
            continue;
          }
          outcomes.vended += 1;
          const allowed = oracle(rules, who, want);
          expect(allowed).toBeDefined();
          for (const [field, action] of Object.entries(got.permissions)) {
            expect([...(allowed?.permissions ?? [])]).toContain(`${field}:${action}`);
          }
          if (got.repositories.kind === "all") expect(allowed?.repositories).toBeUndefined();
          else if (allowed?.repositories !== undefined)
            expect(allowed.repositories).toEqual(expect.arrayContaining([...got.repositories.names]));
          if (want.route.endsWith("git-credentials")) expect(want.owner).toBe(OWNER);
        }
      }),
      { numRuns: POLICIES },
    );
    // A property that holds because nothing is ever vended, or nothing ever refused, would be worth nothing.
    expect(outcomes.vended).toBeGreaterThan(POLICIES);
    expect(outcomes.refused).toBeGreaterThan(POLICIES);
  }, 180_000);
});
