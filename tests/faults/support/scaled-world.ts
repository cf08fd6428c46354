import type { Clock } from "../../../src/lib/clock.ts";
import { generateSimulatorKeys, startSimulator, type Simulator } from "../../../src/simulator/simulator.ts";
import { useAwsEnvironment } from "../../support/aws-environment.ts";
import { createAwsWorld, SIGNING_KEY_ARN } from "./aws-world.ts";
import { createScaledClock, type ScaledClock } from "./scaled-clock.ts";
import { createMachine, createOutput, startUnderTest } from "./service.ts";
import { POLICY } from "./surroundings.ts";

/** A service in this process with its surroundings, GitHub's signature made by KMS, on a clock that the test can set. */
export interface ScaledWorld extends AsyncDisposable {
  readonly clock: ScaledClock;
  readonly simulator: Simulator;
  /** All that the service depends on answers 503. */
  isDown: boolean;
  readonly ask: (profile: string) => Promise<ScaledReply>;
  readonly output: () => string;
}

export interface ScaledReply {
  readonly status: number;
  readonly retryAfter: string | null;
  /** Of a reply with a token. */
  readonly token: string | undefined;
}

const keys = generateSimulatorKeys();

/** `worldClock`: of GitHub, Buildkite and the issuer; the service's own unless given. */
export async function startScaledWorld(scale: number, worldClock?: Clock): Promise<ScaledWorld> {
  await using started = new AsyncDisposableStack();
  const clock = createScaledClock(scale);
  const simulator = started.use(await startSimulator({ clock: worldClock ?? clock, keys: await keys }));
  simulator.setPolicy(POLICY);
  simulator.interceptor = () => (world.isDown ? new Response("down", { status: 503 }) : undefined);
  const aws = createAwsWorld((await keys).main.privateKey);
  const kms = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => (world.isDown ? new Response("down", { status: 503 }) : aws.kms(request)),
  });
  started.defer(() => kms.stop(true));
  started.use(
    useAwsEnvironment({
      AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${kms.port}`,
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret",
    }),
  );
  const environment: Record<string, string> = {
    ...simulator.environment(),
    SERVER_PORT: "0",
    SERVER_HOST: "127.0.0.1",
    GITHUB_APP_PRIVATE_KEY_ARN: SIGNING_KEY_ARN,
  };
  delete environment["GITHUB_APP_PRIVATE_KEY"];
  const { output, text } = createOutput(clock);
  const stop = new AbortController();
  const world: ScaledWorld = {
    clock,
    simulator,
    isDown: false,
    output: text,
    ask: async (profile) => {
      const response = await fetch(`http://127.0.0.1:${service.port}/token/${profile}`, {
        method: "POST",
        headers: { authorization: `Bearer ${simulator.oidc.issueToken()}` },
      });
      const body = (await response.json()) as { readonly token?: string };
      return { status: response.status, retryAfter: response.headers.get("retry-after"), token: body.token };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  const service = await startUnderTest(
    environment,
    createMachine(clock, (url) => url),
    output,
    stop.signal,
  );
  started.defer(() => service.stop());
  const stack = started.move();
  return world;
}
