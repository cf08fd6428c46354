import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readBuildkiteIdentity, readMatchableClaims } from "../../src/oidc/buildkite-claims.ts";
import type { BuildkiteIdentity } from "../../src/oidc/buildkite-identity.ts";
import { compileFile } from "../../src/profiles/compile.ts";
import { listProfiles } from "../../src/profiles/list-profiles.ts";
import type { ProfileReference } from "../../src/profiles/reference.ts";
import { explainProfile } from "../../src/vending/explain.ts";
import {
  asked,
  askingsFor,
  CLAIMS,
  NAMES,
  normalize,
  outcomeOf,
  policy,
  summarize,
  text,
  type Asking,
} from "../support/policy-questions.ts";
import { createInProcessService, OWNER, type InProcessService, type Reply } from "../support/in-process-service.ts";

const TRIPLES = 5_000;
const QUESTIONS_PER_POLICY = 10;

describe("profiles explain", () => {
  test(`says of ${TRIPLES} triples of policy, claims and request what the service answers`, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        policy,
        fc.array(asked, {
          minLength: QUESTIONS_PER_POLICY,
          maxLength: QUESTIONS_PER_POLICY,
        }),
        async (document, questions) => {
          const yaml = JSON.stringify(document);
          const service = createInProcessService(yaml, { apps: ["packages"] });
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
            for (const request of askingsFor(reference, repository, isScoped)) {
              expect({ request, ...told }).toEqual({
                request,
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
        const service = createInProcessService(JSON.stringify(document), { apps: ["packages"] });
        for (const kind of ["pipeline", "organization"] as const) {
          for (const name of ["default", ...NAMES]) {
            const [request] = askingsFor({ kind, name }, undefined);
            if (request === undefined) throw new Error("there is always one");
            const { text: reply } = await service.ask(identity, asRequest(request));
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
      isAppUsable: (name) => name === "packages",
      repository,
      protectedRepository: "policy",
    });
}

async function observe(
  service: InProcessService,
  identity: BuildkiteIdentity,
  asking: Asking,
): Promise<Record<string, unknown>> {
  const { status, headers, text: body, asked: minted }: Reply = await service.ask(identity, asRequest(asking));
  if (minted === undefined) return { outcome: outcomeOf(status, headers.get("chinmina-denied"), body) };
  const reached = normalize(minted.repositories.kind === "all" ? "all" : minted.repositories.names);
  return { outcome: "granted", permissions: minted.permissions, repositories: reached };
}

function asRequest({ path, body }: Asking): Request {
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
