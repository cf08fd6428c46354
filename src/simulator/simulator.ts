import { systemClock, type Clock } from "../lib/clock.ts";
import { answerBuildkite, identifyApiCaller } from "./buildkite-api.ts";
import { serveControl } from "./control.ts";
import { createDefaultWorld } from "./default-world.ts";
import { describeEnvironment, type EnvironmentOptions } from "./environment.ts";
import { createGitHub, identifyGitHubCaller, type GitHub } from "./github.ts";
import { createJournal, type Journal, type UpstreamName } from "./journal.ts";
import { createOidcIssuer, identifyAgent, type OidcIssuer } from "./oidc-issuer.ts";
import { generateRsaKey, type RsaKey } from "./rsa-key.ts";
import { serveUpstream, type Interceptor, type UpstreamOptions, type UpstreamServer } from "./upstream-server.ts";
import type { World } from "./world.ts";
import { createWorldLookup, type WorldLookup } from "./world-lookup.ts";

/** Making RSA keys is most of the start: tests that start many simulators make the keys once. */
export interface SimulatorKeys {
  readonly issuer: RsaKey;
  /** Of the Apps 111, 333 and 555. */
  readonly main: RsaKey;
  readonly packages: RsaKey;
  readonly foreign: RsaKey;
}

/** Those that every simulator has. ECS credentials are served beside it, for the tests that need them. */
type WorldUpstream = Exclude<UpstreamName, "ecs-credentials">;

export interface SimulatorOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  readonly keys?: SimulatorKeys;
  /** Default: `createDefaultWorld()` with the keys. */
  readonly world?: World;
  /** The `aud` of tokens that do not say otherwise. */
  readonly audience?: string;
  /** Default, and for 0: any free port. */
  readonly ports?: Partial<Record<WorldUpstream | "control", number>>;
}

/** The outside world of one bridge: its issuer, Buildkite and GitHub, on ports of the loopback address. */
export interface Simulator extends AsyncDisposable, WorldLookup {
  readonly world: World;
  readonly journal: Journal;
  readonly oidc: OidcIssuer;
  readonly buildkite: { readonly url: string };
  readonly github: GitHub;
  /** `GET` and `DELETE /journal`, `PUT /policy`, `POST /redactions`. */
  readonly control: { readonly url: string };
  readonly audience: string;
  /** Asked before each upstream answers. */
  interceptor: Interceptor | undefined;
  /** What points a bridge here. */
  readonly environment: (options?: EnvironmentOptions) => Record<string, string>;
  /** The texts that jobs have asked their agents to redact, in order. */
  readonly redactions: readonly string[];
}

export async function generateSimulatorKeys(): Promise<SimulatorKeys> {
  const [issuer, main, packages, foreign] = await Promise.all([
    generateRsaKey(),
    generateRsaKey(),
    generateRsaKey(),
    generateRsaKey(),
  ]);
  return { issuer, main, packages, foreign };
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { clock = systemClock, audience = "https://bridge.acme.example", ports = {} } = options;
  const keys = options.keys ?? (await generateSimulatorKeys());
  const world = options.world ?? createDefaultWorld(keys);
  const journal = createJournal();
  const redactions: string[] = [];
  const lookup = createWorldLookup(world);
  await using started = new AsyncDisposableStack();
  const serve = (name: WorldUpstream, upstream: Pick<UpstreamOptions, "identify" | "answer">): UpstreamServer => {
    const interceptor = (): Interceptor | undefined => simulator.interceptor;
    return started.use(serveUpstream({ name, port: ports[name] ?? 0, clock, journal, interceptor, ...upstream }));
  };

  const issuer = createOidcIssuer({
    world: world.buildkite,
    clock,
    key: keys.issuer,
    audience,
    url: () => oidcServer.url,
  });
  const gitHub = createGitHub({ world: world.github, clock, url: () => gitHubServer.url });
  const oidcServer = serve("oidc", { identify: identifyAgent, answer: issuer.answer });
  const gitHubServer = serve("github", { identify: identifyGitHubCaller, answer: gitHub.answer });
  const buildkite = serve("buildkite", {
    identify: identifyApiCaller,
    answer: (asked) => answerBuildkite(world.buildkite, buildkite.url, asked),
  });
  const control = started.use(
    serveControl({ port: ports.control ?? 0, journal, setPolicy: lookup.setPolicy, redactions }),
  );
  const servers = started.move();

  const simulator: Simulator = {
    ...lookup,
    world,
    journal,
    oidc: issuer.issuer,
    buildkite,
    github: gitHub.gitHub,
    control,
    audience,
    redactions,
    interceptor: undefined,
    environment: (chosen = {}) => describeEnvironment(simulator, chosen),
    [Symbol.asyncDispose]: async () => servers.disposeAsync(),
  };
  return simulator;
}
