import { generateSimulatorKeys, startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { startBridge, type Bridge, type OutputLine, type ProgramForm } from "./bridge.ts";

/** Making RSA keys is most of a simulator's start: once for all tests of a process. */
const keys = generateSimulatorKeys();

/** A service with its simulated surroundings. */
export interface TestWorld extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly bridge: Bridge;
  /** A job's OIDC token; the pipeline `widget`'s unless told otherwise. */
  readonly jwt: (claims?: Record<string, unknown>, pipelineSlug?: string) => string;
  /** Sends a request and waits for its audit line. */
  readonly ask: (path: string, init?: RequestInit & { readonly jwt?: string | null }) => Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: any;
  readonly audit: OutputLine;
}

type Overrides = Readonly<Record<string, string | undefined>>;

export interface WorldOptions {
  /** The profile file that the simulated GitHub holds and the service reads. Without it the service has no profile file. */
  readonly policy?: string;
  /** Names the App `packages` beside the default one. */
  readonly registry?: boolean;
  /** Changes the surroundings before the service starts. */
  readonly prepare?: (simulator: Simulator) => void;
  /** Default: what the environment of the tests says. */
  readonly form?: ProgramForm;
  /** What one instance's environment has that the others' has not. */
  readonly environmentOf?: (index: number) => Readonly<Record<string, string>>;
}

export async function startWorld(overrides: Overrides = {}, options: WorldOptions = {}): Promise<TestWorld> {
  const { simulator, worlds } = await startFleet(1, overrides, options);
  const [world] = worlds;
  if (world === undefined) throw new Error("a fleet of one has one");
  return {
    ...world,
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}

/** Several services with the same configuration in the same surroundings. */
export interface Fleet extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly worlds: readonly TestWorld[];
}

export async function startFleet(
  size: number,
  overrides: Overrides = {},
  { policy, registry = false, prepare, form, environmentOf = () => ({}) }: WorldOptions = {},
): Promise<Fleet> {
  await using started = new AsyncDisposableStack();
  const simulator = started.use(await startSimulator({ keys: await keys }));
  const environment: Record<string, string> = simulator.environment({ registry });
  if (policy === undefined) delete environment["GITHUB_ORG_PROFILE"];
  else simulator.setPolicy(policy);
  prepare?.(simulator);
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) delete environment[name];
    else environment[name] = value;
  }
  const start = async (index: number): Promise<TestWorld> => {
    const own = { ...environment, ...environmentOf(index) };
    return createWorld(simulator, await startBridge(own, form === undefined ? {} : { form }));
  };
  const worlds = await Promise.all(Array.from({ length: size }, (_none, index) => start(index)));
  for (const world of worlds) started.use(world);
  const stack = started.move();
  return { simulator, worlds, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Disposing stops the service alone. */
function createWorld(simulator: Simulator, bridge: Bridge): TestWorld {
  let asked = 0;
  const jwt = (claims = {}, pipelineSlug = "widget"): string =>
    simulator.oidc.issueToken(claims, { jobId: simulator.jobOf(pipelineSlug).id });
  return {
    simulator,
    bridge,
    jwt,
    ask: async (path, { jwt: token = jwt(), ...init } = {}) => {
      const id = `test-${++asked}`;
      const headers = new Headers(init.headers);
      headers.set("x-request-id", id);
      if (token !== null && !headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
      const response = await fetch(bridge.url + path, { method: "POST", ...init, headers });
      const text = await response.text();
      const audit = await bridge.waitFor((line) => line["request"]?.id === id);
      const json =
        response.headers.get("content-type")?.startsWith("application/json") === true ? JSON.parse(text) : undefined;
      return { status: response.status, headers: response.headers, text, json, audit };
    },
    [Symbol.asyncDispose]: () => bridge[Symbol.asyncDispose](),
  };
}
