import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeAgentScript } from "../../src/simulator/agent-script.ts";
import type { Simulator } from "../../src/simulator/simulator.ts";
import type { Bridge } from "../../tests/support/bridge.ts";
import { tone } from "./stage.ts";

/** Prints commands that work as they stand, shows what the service writes, and stays until it is told to stop. */
export async function printPlayground(simulator: Simulator, bridge: Bridge): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "chinmina-playground-"));
  const agent = await writeAgentScript(directory, simulator);
  const variables = await writeVariables(directory, simulator);
  const job = simulator.jobOf("widget").id;
  console.log(`${tone.bold("Ask for a token as a job of the pipeline widget does:")}

  export BUILDKITE_JOB_ID=${job} BUILDKITE_AGENT_ACCESS_TOKEN=${simulator.world.buildkite.agentAccessToken}
  JWT=$(${agent} oidc request-token --audience ${simulator.audience} --claim pipeline_id)
  curl -sS -X POST -H "Authorization: Bearer $JWT" ${bridge.url}/token

${tone.bold("Look at what the upstreams were asked:")}

  curl -sS ${simulator.control.url}/journal

${tone.bold("Is it well?")}

  dist/chinmina-bridge healthcheck --port ${bridge.port}

${tone.bold("Ask everything that it depends on, as an operator does:")}

  (. ${variables} && dist/chinmina-bridge doctor)

What the service writes follows. Ctrl-C ends it all.
`);
  const shown = setInterval(showNewLines(bridge), 200);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  clearInterval(shown);
  await rm(directory, { recursive: true, force: true });
}

/** What the service was started with, as a shell reads it: the App's keys are in it. */
async function writeVariables(directory: string, simulator: Simulator): Promise<string> {
  const path = join(directory, "variables.sh");
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = Object.entries(simulator.environment({ registry: true })).map(
    ([name, value]) => `export ${name}=${quoted(value)}\n`,
  );
  await writeFile(path, lines.join(""), { mode: 0o600 });
  return path;
}

function showNewLines(bridge: Bridge): () => void {
  let next = 0;
  return () => {
    for (; next < bridge.lines.length; next++) console.log(JSON.stringify(bridge.lines[next]));
  };
}
