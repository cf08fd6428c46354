import { IamCacheAuthCredentialsError } from "./errors.ts";

/** The part of the AWS SDK's `AwsCredentialIdentity` that signing needs. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A credential provider as the AWS SDK for JavaScript v3 makes them; caching and refreshing are its business. */
export type AwsCredentialProvider = () => Promise<AwsCredentials>;

/**
 * Credentials from the provider. Giving up by `signal` rejects with the signal's reason and leaves the provider's own
 * work to itself: SDK providers take no signal.
 *
 * @throws {IamCacheAuthCredentialsError}
 */
export async function retrieveCredentials(
  provider: AwsCredentialProvider,
  signal: AbortSignal | undefined,
): Promise<AwsCredentials> {
  signal?.throwIfAborted();
  const credentials = await unlessAborted(ask(provider), signal);
  if (!isFilled(credentials?.accessKeyId) || !isFilled(credentials.secretAccessKey)) {
    // An empty key signs without complaint and is refused by the server as a wrong password.
    const message = "the credential provider returned no access key ID or no secret access key";
    throw new IamCacheAuthCredentialsError("credentials-incomplete", message);
  }
  return credentials;
}

async function ask(provider: AwsCredentialProvider): Promise<AwsCredentials> {
  try {
    return await provider();
  } catch (cause) {
    throw new IamCacheAuthCredentialsError("credentials-unavailable", "credential retrieval failed", { cause });
  }
}

async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  let stopListening = (): void => undefined;
  const aborted = new Promise<void>((resolve) => {
    const abort = (): void => resolve();
    signal.addEventListener("abort", abort, { once: true });
    stopListening = () => signal.removeEventListener("abort", abort);
  });
  try {
    await Promise.race([work, aborted]);
    signal.throwIfAborted();
    return await work;
  } finally {
    stopListening();
    work.catch(() => undefined);
  }
}

function isFilled(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
