import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMatchableClaims } from "../../src/oidc/buildkite-claims.ts";
import { compileFile } from "../../src/profiles/compile.ts";
import { POLICY_LOCATION } from "../../src/simulator/default-world.ts";
import { explainProfile } from "../../src/vending/explain.ts";
import { bridgeCommand, underTest } from "../support/bridge.ts";
import {
  asked,
  askingsFor,
  normalize,
  outcomeOf,
  policy,
  summarize,
  type Asking,
} from "../support/policy-questions.ts";
import { runProgram } from "../support/program.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

/** The compiled binary is asked a part of them again. */
const TRIPLES = underTest === "source" ? 5_000 : 1_000;
const QUESTIONS_PER_POLICY = 50;
/** What the tokens of the second App must be good for, so that the policy alone decides. */
const EVERYTHING = { metadata: "read", contents: "write", issues: "write", packages: "read", pull_requests: "write" };

describe(`profiles explain and the running service (${underTest})`, () => {
  let world: TestWorld;
  const folder = mkdtempSync(join(tmpdir(), "explain-"));
  beforeAll(async () => {
    world = await startWorld(
      { GITHUB_ORG_PROFILE: POLICY_LOCATION, CALLER_UPSTREAM_CALLS_PER_MINUTE: "100000" },
      {
        policy: "pipeline: {}",
        registry: true,
        prepare: (simulator) => {
          Object.assign(simulator.installation(444), { repositories: "all", permissions: EVERYTHING });
          simulator.github.rateLimit.limit = 1_000_000;
        },
      },
    );
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await world[Symbol.asyncDispose]();
  });

  test(`agree on ${TRIPLES} triples of policy, claims and request, and so does profiles test`, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        policy,
        fc.array(asked, { minLength: QUESTIONS_PER_POLICY, maxLength: QUESTIONS_PER_POLICY }),
        async (document, questions) => {
          const yaml = JSON.stringify(document);
          await takePolicy(yaml);
          const cases: unknown[] = [];
          for (const [caller, { reference, repository: wanted }] of questions) {
            const slug = caller.pipeline_slug === "main" ? "plugins" : caller.pipeline_slug;
            // A pipeline's repository is given, not chosen: in this world it has the name of the slug.
            const repository = reference.kind === "pipeline" && wanted !== undefined ? slug : wanted;
            const jwt = world.jwt({ ...caller, pipeline_slug: slug, organization_slug: "acme" }, slug);
            const claims = payloadOf(jwt);
            const { generation } = compile(yaml);
            const explained = explainProfile(reference, {
              generation,
              claims: readMatchableClaims(claims).claims,
              isAppUsable: (name) => name === "packages",
              repository,
              protectedRepository: "policy",
            });
            const profile = generation.organizationProfiles.get(reference.name);
            const isScoped =
              reference.kind === "organization" &&
              profile?.kind === "organization" &&
              profile.reach.kind === "caller-scoped";
            const told = summarize(explained, slug);
            for (const asking of askingsFor(reference, repository, isScoped)) {
              const answered = await ask(asking, jwt);
              expect({ asking, claims, ...answered }).toEqual({ asking, claims, ...told });
            }
            seen.set(explained.outcome, (seen.get(explained.outcome) ?? 0) + 1);
            if (explained.outcome === "not-found") continue;
            const label = `${reference.kind === "pipeline" ? "repo" : "org"}:${reference.name}`;
            cases.push({ profile: label, claims: matchable(claims), repository, expect: told["outcome"] });
          }
          // The source does so in this very process.
          if (underTest === "binary" && cases.length > 0) await expectProgramAgrees(yaml, cases);
        },
      ),
      { numRuns: TRIPLES / QUESTIONS_PER_POLICY, endOnFailure: true },
    );
    for (const outcome of ["granted", "refused", "unavailable", "needs-scope", "not-found"]) {
      expect([outcome, (seen.get(outcome) ?? 0) > TRIPLES / 1000]).toEqual([outcome, true]);
    }
  }, 180_000);

  async function takePolicy(yaml: string): Promise<void> {
    const before = world.bridge.lines.length;
    world.simulator.setPolicy(yaml);
    world.bridge.process.kill("SIGHUP");
    await world.bridge.waitFor(
      (line) => world.bridge.lines.indexOf(line) >= before && String(line["message"]).startsWith("profile refresh"),
    );
  }

  /** What the service answers, and what it asked GitHub for, as its audit entry has it. */
  async function ask({ path, body }: Asking, jwt: string): Promise<Record<string, unknown>> {
    const { status, headers, text, audit } = await world.ask(path, { jwt, ...(body === undefined ? {} : { body }) });
    if (status !== 200 || text === "") return { outcome: outcomeOf(status, headers.get("chinmina-denied"), text) };
    const { permissions, repositories } = audit["token"];
    return {
      outcome: "granted",
      permissions: Object.fromEntries(permissions.map((one: string) => one.split(":"))),
      repositories: normalize(repositories[0] === "{{all-repositories}}" ? "all" : repositories),
    };
  }

  /** The command, with the service's answers as what is expected. */
  async function expectProgramAgrees(yaml: string, cases: readonly unknown[]): Promise<void> {
    await Bun.write(join(folder, "profiles.yaml"), yaml);
    await Bun.write(join(folder, "cases.yaml"), JSON.stringify({ cases }));
    const argv = ["profiles", "test", "profiles.yaml", "cases.yaml", "--apps", "packages"];
    const { code, out } = await runProgram(
      bridgeCommand(),
      [...argv, "--policy-repository", "policy", "--format", "json"],
      { folder },
    );
    expect({ code, ...JSON.parse(out) }).toMatchObject({ code: 0, passed: cases.length, failed: 0 });
  }
});

function compile(yaml: string) {
  const compilation = compileFile(new TextEncoder().encode(yaml), "d".repeat(64));
  if (compilation.kind === "refused") throw new Error(JSON.stringify(compilation.findings));
  return compilation.policy;
}

function payloadOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());
}

/** A table of cases holds claims of text and numbers alone. */
function matchable(claims: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null && !Array.isArray(value)));
}
