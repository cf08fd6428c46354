import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { expectRefusal } from "../support/http-assertions.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
let disclosing: TestWorld;
beforeAll(async () => {
  [world, disclosing] = await Promise.all([
    startWorld({}, { policy: DEFAULT_POLICY, registry: true }),
    startWorld({ DEV_DISCLOSE_APP_IDENTIFIERS: "true" }, { policy: DEFAULT_POLICY, registry: true }),
  ]);
});
afterAll(async () => {
  await Promise.all([world[Symbol.asyncDispose](), disclosing[Symbol.asyncDispose]()]);
});

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("base64");

/** A pipeline of its own whose repository is written so. */
function pipelineOf(repository: string, target = world): string {
  const slug = `spelled-${target.simulator.world.buildkite.jobs.length}`;
  const [organization] = target.simulator.world.buildkite.organizations;
  const model = target.simulator.jobOf("widget");
  const number = String(target.simulator.world.buildkite.jobs.length).padStart(4, "0");
  const id = `0183c4e6-c88c-4e5e-9b3a-00000001${number}`;
  organization?.pipelines.push({ id, slug, name: slug, repository });
  target.simulator.world.buildkite.jobs.push({ ...model, id: `job-${number}`, pipelineId: id });
  return slug;
}

describe(`POST /token, /organization/token: the reply (${underTest})`, () => {
  test("a pipeline's: these fields in this order", async () => {
    const { status, headers, json, text } = await world.ask("/token/release-publisher");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(text).toBe(
      JSON.stringify({
        organizationSlug: "acme",
        profile: "repo:release-publisher",
        repositoryUrl: "https://github.com/acme/widget.git",
        repositories: { names: ["widget"] },
        permissions: ["contents:write", "metadata:read"],
        app: "default",
        token: json.token,
        hashedToken: sha256(json.token),
        expiry: json.expiry,
      }),
    );
  });

  test("a list of names: all of them, no repository URL", async () => {
    const { json } = await world.ask("/organization/token/plugins");
    expect(json).toMatchObject({
      profile: "org:plugins",
      repositoryUrl: "",
      repositories: { names: ["plugins", "gadget"] },
    });
  });

  test("all repositories: a wildcard, and GitHub is asked with no list", async () => {
    const { json, audit } = await world.ask("/organization/token/everything");
    expect(json).toMatchObject({ profile: "org:everything", repositoryUrl: "", repositories: { wildcard: true } });
    expect(audit["token"].repositories).toEqual(["{{all-repositories}}"]);
    const asked = world.simulator.journal.entries({ method: "POST", path: /access_tokens$/ }).at(-1);
    expect(asked?.body).toEqual({ permissions: { contents: "read", metadata: "read" } });
  });

  test("caller-scoped: the repository behind the profile's name", async () => {
    const { json, audit } = await world.ask("/organization/token/any-one-repository?repository-scope=gadget");
    expect(json).toMatchObject({
      profile: "org:any-one-repository/gadget",
      repositoryUrl: "",
      repositories: { names: ["gadget"] },
    });
    expect(audit["token"].requestedProfile).toBe(
      "profile://organization/acme/profile/any-one-repository/repository/gadget",
    );
  });

  test("expiry is GitHub's own, in whole seconds of UTC", async () => {
    const { json } = await world.ask("/organization/token/plugins");
    const issued = world.simulator.github.issuedTokens().find(({ token }) => token === json.token);
    expect(json.expiry).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Date.parse(json.expiry)).toBe(Math.floor((issued?.expiresAtMs ?? 0) / 1000) * 1000);
  });

  test("the App that the profile uses is named, its numbers are not", async () => {
    const { json, audit } = await world.ask("/token/package-reader");
    expect(json.app).toBe("packages");
    expect(json).not.toHaveProperty("appId");
    expect(json).not.toHaveProperty("installationId");
    expect(audit["token"]).toMatchObject({ app: "packages", applicationID: 333, installationID: 444 });
  });

  test("with DEV_DISCLOSE_APP_IDENTIFIERS the numbers follow the App's name", async () => {
    const { json } = await disclosing.ask("/token/package-reader");
    expect(json).toMatchObject({ app: "packages", appId: 333, installationId: 444 });
    expect(Object.keys(json).slice(5, 8)).toEqual(["app", "appId", "installationId"]);
    const git = await disclosing.ask("/git-credentials", {
      body: "protocol=https\nhost=github.com\npath=acme/widget\n",
    });
    expect(git.text).toEndWith("\nchinmina_app_name=default\nchinmina_app_id=111\nchinmina_installation_id=222\n\n");
  });

  test.each([
    ["not JSON", "{"],
    ["JSON that means nothing here", `{"profile":"org:everything"}`],
    ["bytes", "\u0000\u0001"],
  ])("a body that is %s is ignored", async (_what, body) => {
    const { status, json } = await world.ask("/token", { body });
    expect({ status, profile: json.profile }).toEqual({ status: 200, profile: "repo:default" });
  });

  test("the request id of the caller comes back when it is sane", async () => {
    const { headers, audit } = await world.ask("/token");
    expect(headers.get("x-request-id")).toBe(audit["request"].id);
  });
});

describe(`a pipeline's repository (${underTest})`, () => {
  test.each([
    ["git@github.com:acme/widget.git", "https://github.com/acme/widget.git"],
    ["git@github.com:acme/widget", "https://github.com/acme/widget"],
    ["ssh://git@github.com/acme/widget.git", "https://github.com/acme/widget.git"],
    ["ssh://git@github.com:22/acme/widget.git", "https://github.com/acme/widget.git"],
    ["https://github.com/acme/widget.git", "https://github.com/acme/widget.git"],
    ["https://github.com/acme/widget", "https://github.com/acme/widget"],
    ["https://GitHub.com/Acme/Widget.git", "https://github.com/Acme/Widget.git"],
  ])("%s is shown as %s", async (repository, repositoryUrl) => {
    const { status, json, audit } = await world.ask("/token", { jwt: world.jwt({}, pipelineOf(repository)) });
    expect({ status, url: json.repositoryUrl, vended: audit["token"].vendedRepository }).toEqual({
      status: 200,
      url: repositoryUrl,
      vended: repositoryUrl,
    });
    expect(json.repositories.names[0].toLowerCase()).toBe("widget");
  });

  test.each([
    "https://gitlab.com/acme/widget.git",
    "https://github.com.evil.example/acme/widget",
    "https://user@github.com/acme/widget",
    "https://github.com:8443/acme/widget",
    "https://github.com/acme/widget/",
    "https://github.com/acme/widget?x=1",
    "https://github.com/acme/widget#x",
    "https://github.com/acme/wid%67et",
    "https://github.com/acme",
    "https://github.com/acme/widget/info/lfs",
    "https://github.com/acme/..",
    "http://github.com/acme/widget",
    "git://github.com/acme/widget",
    "ssh://root@github.com/acme/widget",
    "ssh://git@github.com:2222/acme/widget",
    "file:///srv/widget.git",
    "acme/widget",
  ])("nothing is vended for %s: 204 on token routes, an empty 200 on git routes", async (repository) => {
    const slug = pipelineOf(repository);
    const minted = world.simulator.github.issuedTokens().length;
    const token = await world.ask("/token", { jwt: world.jwt({}, slug) });
    expect({ status: token.status, text: token.text }).toEqual({ status: 204, text: "" });
    expect(token.audit["request"].status).toBe(204);
    const body = "protocol=https\nhost=github.com\npath=acme/widget\n";
    const git = await world.ask("/git-credentials", { jwt: world.jwt({}, slug), body });
    expect({ status: git.status, text: git.text }).toEqual({ status: 200, text: "" });
    expect(world.simulator.github.issuedTokens().length).toBe(minted);
  });

  test("none at all is a 500, with the reason in the audit entry alone", async () => {
    const answer = await world.ask("/token", { jwt: world.jwt({}, "without-repository") });
    expectRefusal(answer, "json", 500, "Internal Server Error");
    expect(answer.audit["error"]).toContain("names no repository");
  });

  test("of another owner than the App's account is 403 on token routes and an empty 200 on git routes", async () => {
    const jwt = world.jwt({}, "of-another-owner");
    expectRefusal(await world.ask("/token", { jwt }), "json", 403, "Forbidden");
    const git = await world.ask("/git-credentials", {
      jwt,
      body: "protocol=https\nhost=github.com\npath=globex/widget\n",
    });
    expect({ status: git.status, text: git.text }).toEqual({ status: 200, text: "" });
  });
});

describe(`?repository-scope (${underTest})`, () => {
  const SCOPED = "/organization/token/any-one-repository";

  test("is required by a caller-scoped profile", async () => {
    expectRefusal(await world.ask(SCOPED), "json", 400, "repository scope is required for this profile");
  });

  test.each(["plugins", "everything"])("is not accepted by %s", async (profile) => {
    expectRefusal(
      await world.ask(`/organization/token/${profile}?repository-scope=gadget`),
      "json",
      400,
      "profile does not accept repository scoping",
    );
  });

  test.each([
    "",
    "%20",
    "%09",
    "%20gadget",
    "gadget%20",
    "gadget+",
    "acme/gadget",
    "acme%2Fgadget",
    "gad%00get",
    "gad%0aget",
    "*",
    "%7B%7Ball-repositories%7D%7D",
    ".",
    "..",
    "gadget.git",
    "gadget.GIT",
    "gadget,widget",
    "%C3%A9",
    "%ff",
    "x".repeat(101),
    "gadget&repository-scope=gadget",
    "gadget&repository-scope=widget",
  ])("%j is 400", async (scope) => {
    const minted = world.simulator.github.issuedTokens().length;
    expectRefusal(await world.ask(`${SCOPED}?repository-scope=${scope}`), "json", 400, "Bad Request");
    expect(world.simulator.github.issuedTokens().length).toBe(minted);
  });

  test("a repository that is not there is refused by GitHub: 403", async () => {
    expectRefusal(await world.ask(`${SCOPED}?repository-scope=nowhere`), "json", 403, "Forbidden");
  });

  test("every spelling of case is one repository, and one token", async () => {
    const [lower, upper] = [
      await world.ask(`${SCOPED}?repository-scope=plugins`),
      await world.ask(`${SCOPED}?repository-scope=PLUGINS`),
    ];
    expect(upper.json.token).toBe(lower.json.token);
    expect(upper.json.profile).toBe("org:any-one-repository/PLUGINS");
  });

  test("other parameters mean nothing", async () => {
    const { json } = await world.ask("/organization/token/plugins?repositories=widget&repository_scope=widget");
    expect(json.repositories).toEqual({ names: ["plugins", "gadget"] });
  });
});
