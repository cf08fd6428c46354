import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeAgentScript } from "./agent-script.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

const USAGE = `usage: bun src/simulator/main.ts --directory DIR [--registry] [--audience AUDIENCE]
         [--oidc-port N] [--buildkite-port N] [--github-port N] [--control-port N]

Starts a simulated GitHub, Buildkite and OIDC issuer, writes an App's key and a buildkite-agent into DIR, prints one line of JSON
(urls, environment of a bridge, environment of a job), and serves until SIGTERM or SIGINT.
`;

try {
  await serve();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : "failed"}\n\n${USAGE}`);
  process.exitCode = 1;
}

async function serve(): Promise<void> {
  const { values } = parseArgs({
    options: {
      directory: { type: "string" },
      registry: { type: "boolean", default: false },
      audience: { type: "string" },
      "oidc-port": { type: "string", default: "0" },
      "buildkite-port": { type: "string", default: "0" },
      "github-port": { type: "string", default: "0" },
      "control-port": { type: "string", default: "0" },
    },
  });
  if (values.directory === undefined) throw new Error("--directory is missing");
  const stopped = untilSignal();
  await using simulator = await startSimulator({
    ...(values.audience === undefined ? {} : { audience: values.audience }),
    ports: {
      oidc: parsePort(values["oidc-port"]),
      buildkite: parsePort(values["buildkite-port"]),
      github: parsePort(values["github-port"]),
      control: parsePort(values["control-port"]),
    },
  });
  const announcement = await prepare(simulator, values.directory, values.registry);
  process.stdout.write(`${JSON.stringify(announcement)}\n`);
  await stopped;
}

/** Writes what is a file, and says all that someone needs who starts a bridge, or a job, beside this process. */
async function prepare(simulator: Simulator, directory: string, registry: boolean) {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { GITHUB_APP_PRIVATE_KEY = "", ...environment } = simulator.environment({ registry });
  const keyFile = join(directory, "github-app.pem");
  await writeFile(keyFile, GITHUB_APP_PRIVATE_KEY, { mode: 0o600 });
  const agent = await writeAgentScript(join(directory, "bin"), simulator);
  return {
    urls: {
      oidc: simulator.oidc.url,
      buildkite: simulator.buildkite.url,
      github: simulator.github.url,
      control: simulator.control.url,
    },
    environment: { ...environment, GITHUB_APP_PRIVATE_KEY_FILE: keyFile },
    agent,
    jobs: simulator.world.buildkite.organizations
      .flatMap(({ pipelines }) => pipelines)
      .map(({ slug }) => ({
        pipeline: slug,
        BUILDKITE_JOB_ID: simulator.jobOf(slug).id,
        BUILDKITE_AGENT_ACCESS_TOKEN: simulator.world.buildkite.agentAccessToken,
      })),
  };
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new Error(`${text} is not a port`);
  return Number(text);
}

function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once("SIGTERM", () => resolve());
  process.once("SIGINT", () => resolve());
  return promise;
}
