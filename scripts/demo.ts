/**
 * The main job, end to end, against simulated upstreams: what is announced is checked, and any difference ends with status 1.
 *
 *   bun scripts/demo.ts           run the steps and stop
 *   bun scripts/demo.ts --stay    start the same world, keep it up, print commands to try
 */
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge } from "../tests/support/bridge.ts";
import { showStep, Stage, tone } from "./demo/stage.ts";
import { playClone } from "./demo/clone.ts";
import { playScenes } from "./demo/scenes.ts";
import { printPlayground } from "./demo/playground.ts";

process.env["BRIDGE_UNDER_TEST"] = "binary";
const stay = process.argv.includes("--stay");

console.log(tone.bold("Chinmina Bridge: a Buildkite job's OIDC token goes in, a GitHub installation token comes out."));
await using simulator = await startSimulator();
await using bridge = await startBridge(simulator.environment({ registry: true }));
console.log(
  tone.dim(
    `simulated OIDC issuer ${simulator.oidc.url}, Buildkite ${simulator.buildkite.url}, GitHub ${simulator.github.url}`,
  ),
);
console.log(tone.dim(`dist/chinmina-bridge  ${bridge.url}`));

if (stay) {
  await printPlayground(simulator, bridge);
} else {
  const stage = new Stage(simulator, bridge);
  await playScenes(stage, simulator);
  await playClone(stage, simulator, bridge);
  showStep("The service stops when asked");
  const code = await bridge.stop("SIGTERM");
  stage.check("exit status 0", code === 0);
  stage.check(
    `${bridge.audit.length} audit lines for ${stage.requests} requests`,
    bridge.audit.length === stage.requests,
  );
  process.exitCode = stage.conclude();
}
