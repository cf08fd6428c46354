import type { KMS } from "@aws-sdk/client-kms";
import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { Clock } from "../lib/clock.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import type { AwsCredentials } from "./aws-credentials.ts";
import { replyLimit, REPLY_LIMIT_PLACE } from "./reply-limit.ts";

/**
 * The SDK's clients, loaded and made when first needed, one for each region. Endpoints follow the standard variables
 * (`AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL_SECRETS_MANAGER`, `AWS_ENDPOINT_URL`).
 */
export interface AwsClients extends Disposable {
  readonly clock: Clock;
  readonly kms: (region: string) => Promise<KMS>;
  /**
   * Without a region: that of the environment or the shared configuration file, as the SDK finds it.
   * Throws `UpstreamFault` (`upstream-refused`) when there is none.
   */
  readonly secretsManager: (region: string | undefined) => Promise<SecretsManager>;
}

/** Three attempts of 4 seconds fit into a call's deadline nearly whole: a connection that hangs is given up for a new one. */
const SETTINGS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2000, requestTimeout: 4000, throwOnRequestTimeout: true },
} as const;

export function createAwsClients(credentials: () => Promise<AwsCredentials>, clock: Clock): AwsClients {
  const kms = new Map<string, Promise<KMS>>();
  const secretsManager = new Map<string | undefined, Promise<SecretsManager>>();
  const disposables = new DisposableStack();
  const makeKms = async (region: string): Promise<KMS> => {
    const sdk = await import("@aws-sdk/client-kms");
    const client = disposables.adopt(new sdk.KMS({ ...SETTINGS, region, credentials }), (made) => made.destroy());
    client.middlewareStack.add(replyLimit, REPLY_LIMIT_PLACE);
    return client;
  };
  const makeSecretsManager = async (region: string | undefined): Promise<SecretsManager> => {
    const sdk = await import("@aws-sdk/client-secrets-manager");
    const options = { ...SETTINGS, ...(region === undefined ? {} : { region }), credentials };
    const client = disposables.adopt(new sdk.SecretsManager(options), (made) => made.destroy());
    client.middlewareStack.add(replyLimit, REPLY_LIMIT_PLACE);
    await client.config.region().catch(() => {
      throw new UpstreamFault("upstream-refused", "no region: AWS_REGION is not set", { upstream: "secrets-manager" });
    });
    return client;
  };
  return {
    clock,
    kms: (region) => once(kms, region, makeKms),
    secretsManager: (region) => once(secretsManager, region, makeSecretsManager),
    [Symbol.dispose]: () => disposables.dispose(),
  };
}

function once<Key, Made>(made: Map<Key, Promise<Made>>, key: Key, make: (key: Key) => Promise<Made>): Promise<Made> {
  const known = made.get(key);
  if (known !== undefined) return known;
  const making = make(key);
  made.set(key, making);
  making.catch(() => made.delete(key));
  return making;
}

/** The region of an ARN, which has it as its fourth field; undefined for what is no ARN. */
export function regionOfArn(arn: string): string | undefined {
  const [prefix, , , region] = arn.split(":");
  return prefix === "arn" && region !== undefined && region !== "" ? region : undefined;
}
