import { generateSimulatorKeys, startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { startBridge, type Bridge, type OutputLine } from "./bridge.ts";

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

export async function startWorld(overrides: Readonly<Record<string, string | undefined>> = {}): Promise<TestWorld> {
  const simulator = await startSimulator({ keys: await keys });
  const environment: Record<string, string> = simulator.environment();
  delete environment["GITHUB_ORG_PROFILE"];
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) delete environment[name];
    else environment[name] = value;
  }
  const bridge = await startBridge(environment);
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
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}
