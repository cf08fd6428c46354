import { createKmsSigner } from "../aws/kms-signer.ts";
import { createPipelines, type Pipelines } from "../buildkite/pipelines.ts";
import type { AppConfiguration, Configuration } from "../config/configuration.ts";
import { createAccountSource } from "../github/account-source.ts";
import { createAppJwtSource, type AppJwtSource } from "../github/app-jwt.ts";
import { createAppRegistry, type AppStanding, type RegisteredApp } from "../github/app-registry.ts";
import type { GitHubApp } from "../github/app.ts";
import { createGitHubClient, type GitHubClient } from "../github/client.ts";
import { createInstallationToken, revokeInstallationToken } from "../github/installation-tokens.ts";
import { readInstallation } from "../github/installations.ts";
import { createPemSigner } from "../github/pem-signer.ts";
import type { Signer } from "../github/signer.ts";
import type { AppDirectory } from "../http/services.ts";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AppConnection } from "../vending/mint.ts";
import type { AwsStage } from "./aws.ts";

/** GitHub and Buildkite, ready to be asked. Nothing is asked until the registry starts. */
export interface Upstreams extends Disposable {
  readonly github: GitHubClient;
  readonly pipelines: Pipelines;
  readonly apps: AppDirectory;
  readonly defaultConnection: AppConnection;
  /** Throws `TypeError` for an App that is none of ours. */
  readonly connectionOf: (app: GitHubApp) => AppConnection;
  /** With several Apps: asks GitHub about each, now and hourly. Throws when the default's does not answer. */
  readonly startRegistry: () => Promise<void>;
}

export interface UpstreamParts {
  readonly fetch: BoundedFetch;
  readonly aws: AwsStage;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createUpstreams(configuration: Configuration, { fetch, aws, clock, logger }: UpstreamParts): Upstreams {
  const { github, buildkite } = configuration;
  const client = createGitHubClient(github.apiUrl, fetch);
  const connect = (app: AppConfiguration): ConnectedApp => connectApp(app, client, aws, clock);
  const defaultApp = connect(github.defaultApp);
  const others = github.otherApps.map(connect);
  const connections = new Map([defaultApp, ...others].map(({ app, connection }) => [app.name, connection]));
  const connectionOf = ({ name }: GitHubApp): AppConnection => {
    const connection = connections.get(name);
    if (connection === undefined) throw new TypeError(`app ${JSON.stringify(name)} has no connection`);
    return connection;
  };
  const registry = createAppRegistry({
    defaultApp,
    others,
    clock,
    observe: (standing) => report(standing, github, logger),
  });
  return {
    github: client,
    pipelines: createPipelines(buildkite.apiUrl, buildkite.apiToken, fetch),
    apps: { find: registry.find, account: (app) => connectionOf(app).account() },
    defaultConnection: defaultApp.connection,
    connectionOf,
    startRegistry: registry.start,
    [Symbol.dispose]: () => registry[Symbol.dispose](),
  };
}

export interface ConnectedApp extends RegisteredApp {
  readonly appJwt: AppJwtSource;
  readonly connection: AppConnection;
}

/** One App with all that asks GitHub in its name. Asks nothing yet. */
export function connectApp(
  configuration: AppConfiguration,
  client: GitHubClient,
  aws: AwsStage,
  clock: Clock,
): ConnectedApp {
  const { name, appId, installationId } = configuration;
  const app: GitHubApp = { name, appId, installationId, signer: createSigner(configuration, aws) };
  const appJwt = createAppJwtSource(app, clock);
  const readAccount = async () => (await readInstallation(client, app, appJwt)).account;
  return {
    app,
    appJwt,
    readAccount,
    connection: {
      account: createAccountSource(readAccount, clock).current,
      createToken: (request) => createInstallationToken(client, app, appJwt, request),
      revokeToken: (token) => revokeInstallationToken(client, token),
    },
  };
}

/** A key in KMS leaves nothing here to steal; a PEM key is for where there is no KMS. */
function createSigner({ key }: AppConfiguration, aws: AwsStage): Signer {
  return key.kind === "privateKey" ? createPemSigner(key.pem) : createKmsSigner(aws.clients, key.arn);
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
