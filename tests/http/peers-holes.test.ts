import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { underTest } from "../support/bridge.ts";
import { expectInvalidToken, expectRefusal } from "../support/http-assertions.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

const POLICY = `pipeline:
  profiles:
    - {name: by-branch, match: [{claim: build_branch, valuePattern: "main|develop"}], permissions: ["contents:write"]}
organization:
  profiles:
    - {name: secret-vault, match: [{claim: pipeline_slug, value: widget}], repositories: [plugins], permissions: ["contents:write"]}
    - {name: scoped-writer, repositories: ["{{caller-scoped-repository}}"], permissions: ["contents:write"]}
    - {name: scoped-reader, repositories: ["{{caller-scoped-repository}}"], permissions: ["contents:read"]}
`;

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({}, { policy: POLICY });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

describe(`holes that services like this one have had (${underTest})`, () => {
  test("match rules below the token cache: what A has warmed, B is still refused", async () => {
    const path = "/organization/token/secret-vault";
    const warmed = await world.ask(path);
    expect(warmed.status).toBe(200);
    const other = await world.ask(path, { jwt: world.jwt({}, "gadget") });
    expectRefusal(other, "json", 403, "Forbidden");
    expect(other.text + JSON.stringify([...other.headers])).not.toContain(warmed.json.token);
    const git = "protocol=https\nhost=github.com\npath=acme/plugins\n";
    const byGit = await world.ask("/organization/git-credentials/secret-vault", {
      jwt: world.jwt({}, "gadget"),
      body: git,
    });
    expectRefusal(byGit, "git", 403, "Forbidden");
  });

  test("one pipeline's token for another pipeline: profiles of one name share nothing", async () => {
    const [one, two] = [await world.ask("/token"), await world.ask("/token", { jwt: world.jwt({}, "gadget") })];
    expect(one.json.token).not.toBe(two.json.token);
    expect(two.json.repositories).toEqual({ names: ["gadget"] });
  });

  test("one caller's scope for another's: scopes share nothing", async () => {
    const ask = (name: string) => world.ask(`/organization/token/scoped-reader?repository-scope=${name}`);
    const [one, two] = [await ask("gadget"), await ask("plugins")];
    expect(one.json.token).not.toBe(two.json.token);
  });

  test.each(["main-attacker", "attacker-develop", "maindevelop", "xmain", "main\ndevelop"])(
    "alternation outside the anchors: main|develop does not match %j",
    async (build_branch) => {
      expect((await world.ask("/token/by-branch", { jwt: world.jwt({ build_branch }) })).status).toBe(403);
    },
  );

  test("discovery fetched from a URL in the caller's token: another issuer is never asked", async () => {
    await using stranger = await startWorld();
    const jwt = stranger.simulator.oidc.issueToken();
    expectInvalidToken(await world.ask("/token", { jwt }));
    expect(stranger.simulator.journal.entries({ upstream: "oidc" })).toEqual([]);
  });

  test.each([
    ["discovery", /openid-configuration/],
    ["key set", /jwks/],
  ])("an unbounded %s: it is cut off, and nobody is let in", async (_what, path) => {
    let sentBytes = 0;
    await using flooded = await startWorld(
      {},
      {
        prepare: (simulator) => {
          simulator.interceptor = (request, upstream) => {
            if (upstream !== "oidc" || !path.test(request.url)) return undefined;
            const chunk = new Uint8Array(64 * 1024).fill(0x20);
            return new Response(
              new ReadableStream({
                pull: (controller) => {
                  sentBytes += chunk.byteLength;
                  if (sentBytes > 256 * 1024 * 1024) controller.close();
                  else controller.enqueue(chunk);
                },
              }),
            );
          };
        },
      },
    );
    expectRefusal(await flooded.ask("/token"), "json", 503, "Service Unavailable");
    expect(sentBytes).toBeLessThan(64 * 1024 * 1024);
  });

  test("refusal texts that reveal policy: no refusal tells a name, a rule, a claim or a repository", async () => {
    const git = "protocol=https\nhost=github.com\npath=acme/plugins\n";
    const gadget = world.jwt({}, "gadget");
    const answers = [
      await world.ask("/organization/token/secret-vault", { jwt: gadget }),
      await world.ask("/organization/git-credentials/secret-vault", { jwt: gadget, body: git }),
      await world.ask("/token/by-branch", { jwt: world.jwt({ build_branch: "feature" }) }),
      await world.ask("/organization/token/nothing-secret-here"),
      await world.ask("/organization/token/scoped-writer?repository-scope=policy"),
      await world.ask("/organization/token/scoped-reader?repository-scope=a/b"),
      await world.ask("/token", { jwt: world.jwt({}, "of-another-owner") }),
      await world.ask("/token", { jwt: world.jwt({ pipeline_id: "0183c4e6-c88c-4e5e-9b3a-00000000dead" }) }),
    ];
    for (const { status, text, headers } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      headers.delete("x-request-id");
      headers.delete("date");
      const said = `${text} ${JSON.stringify([...headers])}`;
      expect(said).not.toMatch(
        /secret|vault|by-branch|scoped|plugins|gadget|globex|pipeline_|build_|main|acme|nothing|policy/i,
      );
    }
  });

  test("a profile that exists and one that does not differ only in what the contract says", async () => {
    const hidden = await world.ask("/organization/token/secret-vault", { jwt: world.jwt({}, "gadget") });
    expect(hidden.json).toEqual({ error: "Forbidden" });
    const absent = await world.ask("/organization/token/absent", { jwt: world.jwt({}, "gadget") });
    expect(absent.json).toEqual({ error: "profile not found" });
  });

  test("write access to the policy by a scope that the caller chose is refused, in every spelling", async () => {
    for (const name of ["policy", "POLICY", "Policy"]) {
      const answer = await world.ask(`/organization/token/scoped-writer?repository-scope=${name}`);
      expectRefusal(answer, "json", 403, "Forbidden");
    }
    const body = "protocol=https\nhost=github.com\npath=acme/Policy.git\n";
    expectRefusal(await world.ask("/organization/git-credentials/scoped-writer", { body }), "git", 403, "Forbidden");
    expect((await world.ask("/organization/token/scoped-reader?repository-scope=policy")).status).toBe(200);
  });

  test("App JWTs and tokens in error messages: GitHub quotes them, we do not", async () => {
    const quoted: string[] = [];
    world.simulator.interceptor = (request, upstream) => {
      if (upstream !== "github" || !request.url.endsWith("/access_tokens")) return undefined;
      const bearer = request.headers.get("authorization")?.slice(7) ?? "";
      quoted.push(bearer);
      return Response.json({ message: `A JSON web token ${bearer} could not be decoded` }, { status: 401 });
    };
    const answer = await world.ask("/organization/token/scoped-reader?repository-scope=quoted");
    world.simulator.interceptor = undefined;
    expect(answer.status).toBe(403);
    expect(quoted).toHaveLength(1);
    expect(answer.audit["error"]).toContain("A JSON web token [removed]");
    for (const part of quoted[0]?.split(".") ?? []) expect(world.bridge.output() + answer.text).not.toContain(part);
  });
});
