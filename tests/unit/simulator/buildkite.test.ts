import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import {
  generateSimulatorKeys,
  startSimulator,
  type Simulator,
  type SimulatorKeys,
} from "../../../src/simulator/simulator.ts";
import { createFixedClock, type FixedClock } from "../../support/fixed-clock.ts";

let keys: SimulatorKeys;
let clock: FixedClock;
let simulator: Simulator;

beforeAll(async () => {
  keys = await generateSimulatorKeys();
});

beforeEach(async () => {
  clock = createFixedClock();
  simulator = await startSimulator({ keys, clock });
});

afterEach(async () => simulator[Symbol.asyncDispose]());

describe("the issuer", () => {
  async function keySet() {
    const discovery = await json(await fetch(`${simulator.oidc.url}/.well-known/openid-configuration`));
    expect(discovery.issuer).toBe(simulator.oidc.url);
    return createLocalJWKSet(await json(await fetch(discovery.jwks_uri)));
  }
  const verify = async (jwt: string) =>
    jwtVerify(jwt, await keySet(), {
      issuer: simulator.oidc.url,
      audience: simulator.audience,
      currentDate: new Date(clock.nowMs()),
      algorithms: ["RS256"],
    });

  test("issues what verifies against its key set, with every claim of a Buildkite job", async () => {
    const { payload } = await verify(simulator.oidc.issueToken());
    const issuedAt = clock.nowMs() / 1000;
    const ref = "ref:refs/heads/main:commit:9f3182061f1e2cca4702c368cbc039b7dc9d4485:step:build";
    expect(payload).toEqual({
      iss: simulator.oidc.url,
      sub: `organization:acme:pipeline:widget:${ref}`,
      aud: simulator.audience,
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + 300,
      organization_slug: "acme",
      organization_id: "0183c4e6-c88c-4e5e-9b3a-000000000001",
      pipeline_slug: "widget",
      pipeline_id: simulator.pipeline("widget").id,
      build_number: 41,
      build_branch: "main",
      build_tag: null,
      build_commit: "9f3182061f1e2cca4702c368cbc039b7dc9d4485",
      step_key: "build",
      job_id: simulator.jobOf("widget").id,
      agent_id: "0190046e-e199-453b-a302-000000003001",
      cluster_id: "0190046e-e199-453b-a302-000000004001",
      cluster_name: "Linux",
      queue_id: "0190046e-e199-453b-a302-000000005001",
      queue_key: "default",
      "agent_tag:queue": "default",
    });
  });

  test("lays claims and headers over its own, and leaves out what is undefined", async () => {
    const jwt = simulator.oidc.issueToken(
      { pipeline_id: undefined, build_branch: "x" },
      { header: { kid: undefined, typ: "other" } },
    );
    const { payload, protectedHeader } = await verify(jwt);
    expect(payload).toMatchObject({ build_branch: "x" });
    expect(payload).not.toHaveProperty("pipeline_id");
    expect(protectedHeader).toEqual({ alg: "RS256", typ: "other" });
  });

  test("keeps or drops the old key when it rotates", async () => {
    const first = simulator.oidc.issueToken();
    await simulator.oidc.rotate({ key: keys.main });
    const second = simulator.oidc.issueToken();
    await verify(first);
    await verify(second);
    await simulator.oidc.rotate({ key: keys.packages, dropOld: true });
    await verify(simulator.oidc.issueToken());
    expect(await failureOf(verify(first))).toBeInstanceOf(Error);
    expect(await failureOf(verify(second))).toBeInstanceOf(Error);
  });

  test("a token signed with another key does not verify", async () => {
    expect(await failureOf(verify(simulator.oidc.issueToken({}, { key: keys.main })))).toBeInstanceOf(Error);
  });
});

describe("an agent", () => {
  function request(
    body: unknown,
    { jobId = simulator.jobOf("gadget").id, token = "simulator-agent-access-token" } = {},
  ) {
    return fetch(`${simulator.oidc.url}/v3/jobs/${jobId}/oidc/tokens`, {
      method: "POST",
      headers: { authorization: `Token ${token}` },
      body: JSON.stringify(body),
    });
  }
  const claimsOf = async (response: Response) =>
    JSON.parse(Buffer.from((await json(response)).token.split(".")[1], "base64url").toString());

  test("gets for its job the claims every token has, and of the others those it names", async () => {
    const claims = await claimsOf(await request({ audience: "a", lifetime: 60, claims: ["pipeline_id", "queue_key"] }));
    expect(claims).toMatchObject({ aud: "a", pipeline_slug: "gadget", queue_key: "default" });
    expect(claims.pipeline_id).toBe(simulator.pipeline("gadget").id);
    expect(claims.exp - claims.iat).toBe(60);
    expect(claims).not.toHaveProperty("organization_id");
    expect(claims).not.toHaveProperty("cluster_id");
  });

  test("gets nothing with a wrong token, for an unknown job, or for an unknown claim", async () => {
    expect((await request({}, { token: "other" })).status).toBe(401);
    expect((await request({}, { jobId: "nonesuch" })).status).toBe(404);
    expect((await request({ claims: ["everything"] })).status).toBe(422);
    expect((await request({ claims: "pipeline_id" })).status).toBe(422);
    expect((await request([])).status).toBe(400);
  });
});

describe("Buildkite's API", () => {
  function ask(path: string, token = "bkua_simulator", scheme = "Bearer") {
    return fetch(`${simulator.buildkite.url}/v2/organizations/${path}`, {
      headers: { authorization: `${scheme} ${token}` },
    });
  }

  test("describes a pipeline to whoever may read it", async () => {
    const response = await ask("acme/pipelines/widget");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      id: simulator.pipeline("widget").id,
      slug: "widget",
      repository: "https://github.com/acme/widget.git",
      provider: { id: "github" },
    });
  });

  test("tells the world as it is now: moved, renamed, replaced", async () => {
    const pipeline = simulator.pipeline("widget");
    pipeline.repository = "https://github.com/acme/moved.git";
    expect(await (await ask("acme/pipelines/widget")).json()).toMatchObject({ repository: pipeline.repository });
    pipeline.slug = "renamed";
    expect((await ask("acme/pipelines/widget")).status).toBe(404);
    simulator.pipeline("gadget").slug = "widget";
    expect(await (await ask("acme/pipelines/widget")).json()).not.toMatchObject({ id: pipeline.id });
  });

  test("refuses a wrong token, a missing scope, an unknown organization or pipeline, another path", async () => {
    expect((await ask("acme/pipelines/widget", "other")).status).toBe(401);
    expect((await ask("acme/pipelines/widget", "bkua_simulator", "Basic")).status).toBe(401);
    expect((await ask("acme/pipelines/widget", "bkua_simulator_without_scope")).status).toBe(403);
    expect((await ask("globex/pipelines/widget")).status).toBe(404);
    simulator.world.buildkite.organizations.push({
      id: "another",
      slug: "globex",
      pipelines: [simulator.pipeline("widget")],
    });
    expect((await ask("globex/pipelines/widget")).status).toBe(404);
    expect((await ask("acme/pipelines/nonesuch")).status).toBe(404);
    expect((await ask("acme/pipelines/widget/builds")).status).toBe(404);
    expect((await fetch(`${simulator.buildkite.url}/v2/organizations/acme/pipelines/widget`)).status).toBe(401);
  });
});

/** The body as whatever it is: the assertions that follow judge it. */
async function json(response: Response) {
  return JSON.parse(await response.text());
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
