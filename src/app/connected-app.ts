import { createKmsSigner } from "../aws/kms-signer.ts";
import type { AppConfiguration } from "../config/configuration.ts";
import { createAccountSource } from "../github/account-source.ts";
import { createAppJwtSource, type AppJwtSource } from "../github/app-jwt.ts";
import type { RegisteredApp } from "../github/app-registry.ts";
import type { GitHubApp } from "../github/app.ts";
import type { GitHubClient } from "../github/client.ts";
import { createInstallationToken, revokeInstallationToken } from "../github/installation-tokens.ts";
import { readInstallation } from "../github/installations.ts";
import { createPemSigner } from "../github/pem-signer.ts";
import type { Signer } from "../github/signer.ts";
import type { Clock } from "../lib/clock.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { AppConnection } from "../vending/mint.ts";
import type { AwsStage } from "./aws.ts";
import { observeSigner } from "./observe/aws.ts";

/** What an App's connection is made of; telemetry where there is any. */
export interface AppParts {
  readonly aws: AwsStage;
  readonly clock: Clock;
  readonly awsTraces?: Telemetry | undefined;
  readonly telemetry?: Telemetry | undefined;
}

export interface ConnectedApp extends RegisteredApp {
  readonly appJwt: AppJwtSource;
  readonly connection: AppConnection;
}

/** One App with all that asks GitHub in its name. Asks nothing yet. */
export function connectApp(configuration: AppConfiguration, client: GitHubClient, parts: AppParts): ConnectedApp {
  const { clock } = parts;
  const { name, appId, installationId } = configuration;
  const app: GitHubApp = { name, appId, installationId, signer: createSigner(configuration, parts) };
  const appJwt = createAppJwtSource(app, clock);
  const readAccount = async () => (await readInstallation(client, app, appJwt)).account;
  return {
    app,
    appJwt,
    readAccount,
    connection: {
      account: createAccountSource(readAccount, clock).current,
      createToken: (request, call) => createInstallationToken(client, app, appJwt, request, call?.caller),
      revokeToken: (token) => revokeInstallationToken(client, token),
    },
  };
}

/** A key in KMS leaves nothing here to steal; a PEM key is for where there is no KMS. */
function createSigner({ key }: AppConfiguration, { aws, awsTraces, telemetry }: AppParts): Signer {
  if (key.kind === "privateKey") return createPemSigner(key.pem);
  const signer = createKmsSigner(aws.clients, key.arn);
  return telemetry === undefined ? signer : observeSigner(signer, telemetry, awsTraces);
}
