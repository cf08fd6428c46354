import type { Simulator } from "../../src/simulator/simulator.ts";
import type { Stage } from "./stage.ts";

/** What a newcomer should have seen: who gets what, and who does not. The policy is the simulated world's `acme/policy`. */
export async function playScenes(stage: Stage, simulator: Simulator): Promise<void> {
  await playDefaultProfile(stage);
  await playNamedProfiles(stage);
  await playOrganizationProfiles(stage);
  await playRefusals(stage, simulator);
}

async function playDefaultProfile(stage: Stage): Promise<void> {
  await stage.play("A job of the pipeline `widget` asks for a token", {
    request: { path: "/token", job: "widget" },
    expect: {
      status: 200,
      reply: { profile: "repo:default", repositories: { names: ["widget"] } },
      audit: { source: "github" },
    },
    says: "a token for acme/widget alone, contents:read, made by GitHub just now",
  });
  await stage.play("It asks again", {
    request: { path: "/token", job: "widget" },
    expect: { status: 200, reply: { profile: "repo:default" }, audit: { source: "memory" } },
    says: "the same token, from memory: neither Buildkite nor GitHub is asked",
    upstreamCalls: 0,
  });
}

async function playNamedProfiles(stage: Stage): Promise<void> {
  await stage.play("A job on the branch `main` asks for the profile `release-publisher`", {
    request: { path: "/token/release-publisher", job: "widget" },
    expect: { status: 200, reply: { permissions: ["contents:write", "metadata:read"] } },
    says: "granted: the profile's rule wants build_branch to be main",
  });
  await stage.play("A job on the branch `dev` asks for it", {
    request: { path: "/token/release-publisher", job: "widget", claims: { build_branch: "dev" } },
    expect: { status: 403, reply: { error: "Forbidden" } },
    says: "refused, although a token for this very profile lies warm in the cache; the audit line has the rule",
    upstreamCalls: 0,
  });
  await stage.play("A job asks for the profile `package-reader`, which another App mints", {
    request: { path: "/token/package-reader", job: "widget" },
    expect: { status: 200, reply: { app: "packages" }, audit: { applicationID: 333 } },
    says: "a token of the App `packages`, which holds other permissions than the default App",
  });
}

async function playOrganizationProfiles(stage: Stage): Promise<void> {
  await stage.play("Any job asks for the organization profile `plugins`", {
    request: { path: "/organization/token/plugins", job: "gadget" },
    expect: { status: 200, reply: { repositories: { names: ["plugins", "gadget"] } } },
    says: "one token for the two repositories that the profile lists",
  });
  await stage.play("The pipeline `widget` asks for the profile `everything`", {
    request: { path: "/organization/token/everything", job: "widget" },
    expect: { status: 200, reply: { repositories: { wildcard: true } } },
    says: "granted: its rule names the pipeline",
  });
  await stage.play("The pipeline `gadget` asks for it", {
    request: { path: "/organization/token/everything", job: "gadget" },
    expect: { status: 403, reply: { error: "Forbidden" } },
    says: "refused: the same profile, another pipeline",
  });
  await stage.play("A job chooses one repository itself, where the profile lets it", {
    request: { path: "/organization/token/any-one-repository?repository-scope=plugins", job: "widget" },
    expect: { status: 200, reply: { profile: "org:any-one-repository/plugins", repositories: { names: ["plugins"] } } },
    says: "a token for that repository alone",
  });
}

async function playRefusals(stage: Stage, simulator: Simulator): Promise<void> {
  await stage.play("A pipeline that builds another owner's repository asks", {
    request: { path: "/token", job: "of-another-owner" },
    expect: { status: 403, reply: { error: "Forbidden" } },
    says: "refused: the App is installed on acme, a repository of globex is not acme's to give",
  });
  simulator.github.tamperGrant = (grant) => ({ ...grant, permissions: { contents: "write", metadata: "read" } });
  await stage.play("GitHub grants more than was asked for", {
    request: { path: "/token", job: "plugins" },
    expect: { status: 500, reply: { error: "Internal Server Error" } },
    says: "refused: a token wider than the policy is revoked at GitHub, not sent and not kept",
  });
  simulator.github.tamperGrant = undefined;
  const wider = simulator.github.issuedTokens().at(-1)?.token ?? "";
  stage.check("GitHub no longer takes the wider token", !simulator.github.isLive(wider));
  await stage.play("Somebody sends a token of their own making", {
    request: { path: "/token", jwt: "eyJhbGciOiJub25lIn0.e30." },
    expect: { status: 401, reply: { error: "invalid_token" } },
    says: "401, the same for every flaw; the audit line alone tells which",
  });
}
