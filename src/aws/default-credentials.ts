import type { AwsCredentials } from "./aws-credentials.ts";

/**
 * Credentials as the SDK finds them: environment, shared files, SSO, web identity, ECS and EKS endpoints, EC2.
 *
 * A new chain for each call: one that hangs in an exchange with its endpoint, which the SDK never ends, would hang every later
 * call that shares it. Bounding and repeating it is the caller's.
 */
export async function loadDefaultCredentials(): Promise<AwsCredentials> {
  const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
  return fromNodeProviderChain({ timeout: 2000, maxRetries: 0 })();
}
