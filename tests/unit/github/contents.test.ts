import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createAppJwtSource } from "../../../src/github/app-jwt.ts";
import { createGitHubClient, type GitHubClient } from "../../../src/github/client.ts";
import { readFile } from "../../../src/github/contents.ts";
import { createInstallationToken, revokeInstallationToken } from "../../../src/github/installation-tokens.ts";
import { createPemSigner } from "../../../src/github/pem-signer.ts";
import { boundedFetch } from "../../../src/lib/bounded-fetch.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { DEFAULT_POLICY, POLICY_PATH } from "../../../src/simulator/default-world.ts";
import { startSimulator, type Simulator } from "../../../src/simulator/simulator.ts";

let simulator: Simulator;
let client: GitHubClient;
let token: string;
const location = { owner: "acme", repository: "policy", path: POLICY_PATH };

beforeAll(async () => {
  simulator = await startSimulator();
  client = createGitHubClient(new URL(simulator.github.url), boundedFetch);
  const { GITHUB_APP_PRIVATE_KEY = "" } = simulator.environment();
  const app = {
    name: "default",
    appId: 111,
    installationId: 222,
    signer: createPemSigner(new Secret(GITHUB_APP_PRIVATE_KEY)),
  };
  const grant = await createInstallationToken(client, app, createAppJwtSource(app, systemClock), {
    permissions: { contents: "read", metadata: "read" },
    repositories: { kind: "names", names: ["policy"] },
  });
  token = grant.token;
});
afterAll(() => simulator[Symbol.asyncDispose]());

const fault = (request: Parameters<typeof readFile>[1]) => readFile(client, request).catch((error: unknown) => error);

/** Answers the next contents request with this JSON laid over GitHub's own. */
function answerWith(change: (reply: any) => unknown): void {
  simulator.interceptor = async (request, upstream, proceed) => {
    if (upstream !== "github" || !request.url.includes("/contents/")) return undefined;
    const reply = await proceed();
    return Response.json(change(await reply.json()), { headers: { etag: '"x"' } });
  };
}

describe("readFile()", () => {
  test("reads a file whole, with its ETag, and learns that it has not changed", async () => {
    const first = await readFile(client, { location, token });
    expect(first.kind === "file" ? new TextDecoder().decode(first.bytes) : first).toBe(DEFAULT_POLICY);
    const previousEtag = first.kind === "file" ? (first.etag ?? "") : "";
    expect(await readFile(client, { location, token, previousEtag })).toEqual({ kind: "unchanged" });
  });

  test("a file that is not there is a refusal", async () => {
    expect(await fault({ location: { ...location, path: "no/such.yaml" }, token })).toMatchObject({
      code: "upstream-refused",
    });
  });

  test("a directory is never an empty policy", async () => {
    expect(await fault({ location: { ...location, path: "chinmina" }, token })).toMatchObject({
      code: "upstream-malformed",
    });
  });

  test.each<[string, (reply: any) => unknown]>([
    ["truncated", (reply) => ({ ...reply, content: reply.content.slice(0, 40) })],
    ["substituted", (reply) => ({ ...reply, content: btoa("x".repeat(reply.size)) })],
    ["of another size", (reply) => ({ ...reply, size: reply.size + 1 })],
    [
      "without its content, as GitHub sends a large file",
      (reply) => ({ ...reply, content: "", encoding: "none", size: 2_000_000 }),
    ],
    ["a symbolic link", (reply) => ({ ...reply, type: "symlink", target: "elsewhere" })],
    ["a submodule", (reply) => ({ ...reply, type: "submodule" })],
    ["no JSON object", () => null],
  ])("a reply that is %s is a failure", async (_what, change) => {
    answerWith(change);
    expect(await fault({ location, token })).toMatchObject({ code: "upstream-malformed" });
    simulator.interceptor = undefined;
  });

  test("a redirect is not followed", async () => {
    simulator.interceptor = (request, upstream) =>
      upstream === "github" && request.url.includes("/contents/")
        ? new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/elsewhere" } })
        : undefined;
    expect(await fault({ location, token })).toMatchObject({ code: "upstream-malformed" });
    simulator.interceptor = undefined;
  });

  test("a revoked token reads nothing", async () => {
    await revokeInstallationToken(client, token);
    expect(await fault({ location, token })).toMatchObject({ code: "upstream-refused" });
  });
});
