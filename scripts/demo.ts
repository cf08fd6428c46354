/**
 * The main job, end to end, against simulated upstreams: what is announced is checked, and any difference ends with status 1.
 *
 *   bun scripts/demo.ts           run the steps and stop
 *   bun scripts/demo.ts --stay    start the same world, keep it up, print commands to try
 */
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge } from "../tests/support/bridge.ts";
import { showStep, Stage, tone } from "./demo/stage.ts";
import { printPlayground } from "./demo/playground.ts";

process.env["BRIDGE_UNDER_TEST"] = "binary";
const stay = process.argv.includes("--stay");

console.log(
  tone.bold("Chinmina Bridge: a Buildkite job's OIDC token goes in, a GitHub installation token comes out.\n"),
);
await using simulator = await startSimulator();
const environment = simulator.environment();
delete environment["GITHUB_ORG_PROFILE"];
await using bridge = await startBridge(environment);
console.log(
  tone.dim(
    `simulated OIDC issuer ${simulator.oidc.url}, Buildkite ${simulator.buildkite.url}, GitHub ${simulator.github.url}`,
  ),
);
console.log(tone.dim(`dist/chinmina-bridge  ${bridge.url}\n`));

if (stay) {
  await printPlayground(simulator, bridge);
} else {
  const stage = new Stage(simulator, bridge);
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
  await stage.play("A pipeline that builds another owner's repository asks", {
    request: { path: "/token", job: "of-another-owner" },
    expect: { status: 403, reply: { error: "Forbidden" } },
    says: "refused: the App is installed on acme, a repository of globex is not acme's to give",
  });
  await stage.play("Somebody sends a token of their own making", {
    request: { path: "/token", jwt: "eyJhbGciOiJub25lIn0.e30." },
    expect: { status: 401, reply: { error: "invalid_token" } },
    says: "401, the same for every flaw; the audit line alone tells which",
  });
  showStep("The service stops when asked");
  const code = await bridge.stop("SIGTERM");
  stage.check("exit status 0", code === 0);
  stage.check(
    `${bridge.audit.length} audit lines for ${stage.requests} requests`,
    bridge.audit.length === stage.requests,
  );
  process.exitCode = stage.conclude();
}
