import { createPipelines, type Pipelines } from "../buildkite/pipelines.ts";
import type { AppConfiguration, Configuration } from "../config/configuration.ts";
import { createAccountSource } from "../github/account-source.ts";
import { createAppJwtSource } from "../github/app-jwt.ts";
import type { GitHubApp } from "../github/app.ts";
import { createGitHubClient, type GitHubClient } from "../github/client.ts";
import { createInstallationToken, revokeInstallationToken } from "../github/installation-tokens.ts";
import { readInstallationAccount } from "../github/installations.ts";
import { createPemSigner } from "../github/pem-signer.ts";
import type { Signer } from "../github/signer.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import type { Clock } from "../lib/clock.ts";
import type { AppDirectory } from "../http/services.ts";
import type { AppConnection } from "../vending/mint.ts";

/** An App with what it takes to act as it. */
interface ConnectedApp {
  readonly app: GitHubApp;
  readonly connection: AppConnection;
}

/** GitHub and Buildkite, ready to be asked. Nothing is asked yet. */
export interface Upstreams {
  readonly github: GitHubClient;
  readonly pipelines: Pipelines;
  readonly apps: AppDirectory;
  /** Throws `TypeError` for an App that is none of ours. */
  readonly connectionOf: (app: GitHubApp) => AppConnection;
}

export function createUpstreams(configuration: Configuration, fetch: BoundedFetch, clock: Clock): Upstreams {
  const { github, buildkite } = configuration;
  const client = createGitHubClient(github.apiUrl, fetch);
  const connected = new Map([[github.defaultApp.name, connectApp(github.defaultApp, client, clock)]]);
  const connectionOf = ({ name }: GitHubApp): AppConnection => {
    const one = connected.get(name);
    if (one === undefined) throw new TypeError(`app ${JSON.stringify(name)} has no connection`);
    return one.connection;
  };
  return {
    github: client,
    pipelines: createPipelines(buildkite.apiUrl, buildkite.apiToken, fetch),
    apps: { find: (name) => connected.get(name)?.app, account: (app) => connectionOf(app).account() },
    connectionOf,
  };
}

function connectApp(configuration: AppConfiguration, client: GitHubClient, clock: Clock): ConnectedApp {
  const { name, appId, installationId } = configuration;
  const app: GitHubApp = { name, appId, installationId, signer: createSigner(configuration) };
  const appJwt = createAppJwtSource(app, clock);
  const account = createAccountSource(() => readInstallationAccount(client, app, appJwt), clock);
  return {
    app,
    connection: {
      account: account.current,
      createToken: (request) => createInstallationToken(client, app, appJwt, request),
      revokeToken: (token) => revokeInstallationToken(client, token),
    },
  };
}

function createSigner({ key }: AppConfiguration): Signer {
  if (key.kind === "privateKey") return createPemSigner(key.pem);
  throw new BridgeError("kms-not-available", "GITHUB_APP_PRIVATE_KEY_ARN: signing by KMS is not part of this version");
}
