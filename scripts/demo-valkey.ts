/**
 * Two instances with a real Valkey (TLS, a user who may do what docs/valkey.md says and no more, entries sealed): what is announced is
 * checked, and any difference ends with status 1. Installs valkey-server where it is missing and can be installed.
 */
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge } from "../tests/support/bridge.ts";
import { createCertificateAuthority } from "../tests/support/valkey/certificates.ts";
import { installRealServers, startRealServer } from "../tests/support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../tests/support/valkey/service-access.ts";
import { showStep, Stage, tone } from "./demo/stage.ts";

process.env["BRIDGE_UNDER_TEST"] = "binary";
installRealServers();

console.log(tone.bold("Chinmina Bridge with Valkey: what one instance has made, the others serve."));
const authority = createCertificateAuthority();
const certificate = authority.issue("demo", ["localhost"]);
await using valkey = await startRealServer({ engine: "valkey", authority, certificate });
using keyset = writeKeysetFile();
await using simulator = await startSimulator();
const environment = {
  ...simulator.environment(),
  ...valkeyVariables(valkey, authority),
  ...keyset.variables,
  GITHUB_ORG_PROFILE: "",
};
await using first = await startBridge(environment);
await using second = await startBridge(environment);
for (const bridge of [first, second]) await bridge.waitFor((line) => line["message"] === "valkey: in use");
console.log(tone.dim(`valkey-server localhost:${valkey.port}, instances ${first.url} and ${second.url}`));

const stage = new Stage(simulator, first);
const asked = { path: "/token", job: "widget" };
await stage.play("A job of the pipeline `widget` asks the first instance for a token", {
  request: asked,
  expect: { status: 200, reply: { profile: "repo:default" }, audit: { source: "github" } },
  says: "made by GitHub just now, and stored in Valkey, sealed",
});
await stage.play(
  "Another job of it asks the second instance",
  {
    request: asked,
    expect: { status: 200, audit: { source: "valkey", hashedToken: lastToken() } },
    says: "the first one's token, from Valkey: neither Buildkite nor GitHub is asked",
    upstreamCalls: 0,
  },
  second,
);
await stage.play(
  "And again",
  {
    request: asked,
    expect: { status: 200, audit: { source: "memory", hashedToken: lastToken() } },
    says: "from the second instance's memory: not even Valkey is asked",
    upstreamCalls: 0,
  },
  second,
);

showStep("What lies in Valkey");
const [key = ""] = valkey.admin("--raw", "keys", "*").split("\n");
const stored = valkey.admin("--raw", "get", key);
console.log(`  ${tone.dim(key)}\n  ${tone.dim(`${stored.slice(0, 60)}…`)}`);
stage.check("one entry, no claim left behind", valkey.admin("dbsize") === "1");
stage.check("sealed", key.startsWith("enc:") && stored.startsWith("cb-enc:"));

showStep("Valkey is killed");
await valkey.kill();
await stage.play(
  "A job of the pipeline `gadget` asks the second instance all the same",
  {
    request: { path: "/token", job: "gadget" },
    expect: { status: 200, audit: { source: "github" } },
    says: "a token from GitHub: without Valkey each instance goes on by itself",
  },
  second,
);
process.exitCode = stage.conclude();

function lastToken(): unknown {
  return first.audit.at(-1)?.["token"]?.hashedToken;
}
