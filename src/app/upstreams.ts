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
import type { AppConnection } from "../vending/mint.ts";

/** An App with what it takes to act as it. */
export interface ConnectedApp {
  readonly app: GitHubApp;
  readonly connection: AppConnection;
}

/** GitHub and Buildkite, ready to be asked. Nothing is asked yet. */
export interface Upstreams {
  readonly github: GitHubClient;
  readonly pipelines: Pipelines;
  readonly defaultApp: ConnectedApp;
}

export function createUpstreams(configuration: Configuration, fetch: BoundedFetch, clock: Clock): Upstreams {
  const { github, buildkite } = configuration;
  const client = createGitHubClient(github.apiUrl, fetch);
  return {
    github: client,
    pipelines: createPipelines(buildkite.apiUrl, buildkite.apiToken, fetch),
    defaultApp: connectApp(github.defaultApp, client, clock),
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
