import type { GetSecretValueResponse, SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { SecretLookup, SecretStore } from "../keyset/secret-store.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { awsErrorName, toUpstreamFault } from "./aws-fault.ts";
import { callAws, type AwsCall } from "./call-aws.ts";
import { regionOfArn, type AwsClients } from "./clients.ts";

const CURRENT = "AWSCURRENT";
const READ = "read secret";

type Attempt<T> = (client: SecretsManager, options: { readonly abortSignal: AbortSignal }) => Promise<T>;

/** Secrets Manager, in the region of the secret's ARN, or for a secret that is named otherwise in the SDK's own region. */
export function createSecretStore(aws: AwsClients): SecretStore {
  const call = <T>(
    operation: string,
    secretId: string,
    signal: AbortSignal | undefined,
    attempt: Attempt<T>,
  ): Promise<T> => {
    const details: AwsCall = { upstream: "secrets-manager", operation, clock: aws.clock, signal };
    return callAws(details, async (abortSignal) =>
      attempt(await aws.secretsManager(regionOfArn(secretId)), { abortSignal }),
    );
  };
  return {
    getCurrent: (secretId, signal) =>
      call(READ, secretId, signal, (client, options) => readCurrent(client, secretId, options)),
    putStaged: async ({ secretId, versionId, stage, value }, signal) => {
      await call("store secret version", secretId, signal, (client, options) =>
        client.putSecretValue(
          { SecretId: secretId, ClientRequestToken: versionId, VersionStages: [stage], SecretString: value },
          options,
        ),
      );
    },
    moveCurrent: ({ secretId, toVersionId, fromVersionId }, signal) =>
      call("move AWSCURRENT", secretId, signal, async (client, options) => {
        const from = fromVersionId === undefined ? {} : { RemoveFromVersionId: fromVersionId };
        const move = { SecretId: secretId, VersionStage: CURRENT, MoveToVersionId: toVersionId, ...from };
        try {
          await client.updateSecretVersionStage(move, options);
          return "moved";
        } catch (error) {
          // AWS's answers to a label that is elsewhere, and to a version that is not there.
          const name = awsErrorName(error);
          if (name === "InvalidParameterException" || name === "ResourceNotFoundException") return "conflict";
          throw error;
        }
      }),
  };
}

async function readCurrent(
  client: SecretsManager,
  secretId: string,
  options: { readonly abortSignal: AbortSignal },
): Promise<SecretLookup> {
  try {
    // Named although it is the default: an emulator forgets its own default after a move, and nothing is left to guess.
    return toFound(await client.getSecretValue({ SecretId: secretId, VersionStage: CURRENT }, options));
  } catch (error) {
    const name = awsErrorName(error);
    if (name === "AccessDeniedException") return { kind: "denied" };
    if (name !== "ResourceNotFoundException") throw error;
    return { kind: (await exists(client, secretId, error, options)) ? "no-value" : "not-found" };
  }
}

/** AWS has one error for a secret that is not there and for one without a current version. Asking for its description tells. */
async function exists(
  client: SecretsManager,
  secretId: string,
  refusal: unknown,
  options: { readonly abortSignal: AbortSignal },
): Promise<boolean> {
  try {
    await client.describeSecret({ SecretId: secretId }, options);
    return true;
  } catch (error) {
    const name = awsErrorName(error);
    if (name === "ResourceNotFoundException") return false;
    // A task's policy need not allow that question. The wording is then all there is to go by.
    if (name === "AccessDeniedException") return refusal instanceof Error && /staging label/.test(refusal.message);
    throw toUpstreamFault(error, "secrets-manager", READ);
  }
}

function toFound(reply: GetSecretValueResponse): SecretLookup {
  const { ARN: arn, VersionId: versionId, CreatedDate: created, SecretString: value, SecretBinary: binary } = reply;
  if (arn === undefined || versionId === undefined || created === undefined || binary !== undefined) {
    const fault = binary === undefined ? "the reply lacks what AWS always sends" : "the secret is binary, not text";
    throw new UpstreamFault("upstream-malformed", `${READ}: ${fault}`, { upstream: "secrets-manager" });
  }
  return { kind: "found", arn, versionId, createdAtEpochMs: created.getTime(), value: value ?? "" };
}
