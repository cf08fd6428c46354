import { createPipelines, type Pipelines } from "../buildkite/pipelines.ts";
import { rememberPipelines } from "../buildkite/remembered-pipelines.ts";
import type { AppConfiguration, Configuration } from "../config/configuration.ts";
import { createAppRegistry, type AppStanding } from "../github/app-registry.ts";
import type { GitHubApp } from "../github/app.ts";
import { createGitHubClient, type GitHubClient } from "../github/client.ts";
import type { AppDirectory } from "../http/services.ts";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AppConnection } from "../vending/mint.ts";
import { connectLimitedApp, type LimitedApp, type LimitedAppParts } from "./limited-app.ts";

/** What the policy is read with. */
export interface PolicyAccess {
  readonly client: GitHubClient;
  readonly connection: AppConnection;
}

/** GitHub and Buildkite, ready to be asked. Nothing is asked until the registry starts. */
export interface Upstreams extends Disposable {
  /** For what is asked with a token itself. */
  readonly github: GitHubClient;
  /** The default App's, for reading the policy: with connections of its own. */
  readonly policy: PolicyAccess;
  readonly pipelines: Pipelines;
  readonly apps: AppDirectory;
  /** Throws `TypeError` for an App that is none of ours. */
  readonly connectionOf: (app: GitHubApp) => AppConnection;
  /** Whether GitHub's limits leave room to make tokens of this App ahead of time. */
  readonly mayRenew: (app: GitHubApp) => boolean;
  /** With several Apps: asks GitHub about each, now and hourly. Throws when the default's does not answer. */
  readonly startRegistry: () => Promise<void>;
}

export interface UpstreamParts extends LimitedAppParts {
  /** For the policy. */
  readonly policyFetch: BoundedFetch;
}

export function createUpstreams(configuration: Configuration, parts: UpstreamParts): Upstreams {
  const { fetch, policyFetch, clock, logger } = parts;
  const { github, buildkite } = configuration;
  const connect = (app: AppConfiguration): LimitedApp => connectLimitedApp(app, github.apiUrl, parts);
  const defaultApp = connect(github.defaultApp);
  const others = github.otherApps.map(connect);
  const connected = new Map([defaultApp, ...others].map((one) => [one.app.name, one]));
  const find = ({ name }: GitHubApp): LimitedApp => {
    const one = connected.get(name);
    if (one === undefined) throw new TypeError(`app ${JSON.stringify(name)} has no connection`);
    return one;
  };
  const connectionOf = (app: GitHubApp): AppConnection => find(app).connection;
  const registry = createAppRegistry({
    defaultApp,
    others,
    clock,
    observe: (standing) => report(standing, github, logger),
  });
  return {
    github: createGitHubClient(github.apiUrl, fetch),
    policy: defaultApp.connectThrough(policyFetch),
    pipelines: rememberPipelines(createPipelines(buildkite.apiUrl, buildkite.apiToken, fetch), clock),
    apps: { find: registry.find, account: (app) => connectionOf(app).account() },
    connectionOf,
    mayRenew: (app) => find(app).limits.mayRenew(),
    startRegistry: registry.start,
    [Symbol.dispose]: () => registry[Symbol.dispose](),
  };
}

function report(
  { app, organization, disabledReason }: AppStanding,
  github: Configuration["github"],
  logger: Logger,
): void {
  const configured = [github.defaultApp, ...github.otherApps].find(({ name }) => name === app.name);
  const level = disabledReason === undefined ? "info" : "warn";
  logger[level]("github app registry entry", {
    app: {
      name: app.name,
      applicationID: app.appId,
      installationID: app.installationId,
      keySource: configured?.key.kind,
      organization,
      enabled: disabledReason === undefined,
      disabledReason,
    },
  });
}
