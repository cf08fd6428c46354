import { loadDefaultRegion } from "../aws/default-region.ts";
import type { ValkeyAuthentication } from "../config/configuration.ts";
import { IamCacheAuthOptionError } from "../iamcacheauth/errors.ts";
import { elastiCacheTokens, memoryDBTokens, type TokenSource } from "../iamcacheauth/index.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { AwsStage } from "./aws.ts";

type Iam = Extract<ValkeyAuthentication, { readonly kind: "iam" }>;

/** Tokens for the configured cache. Throws `BridgeError` (`no-region`) without a region, and `IamCacheAuthOptionError`. */
export async function createIamTokens(iam: Iam, { credentials }: AwsStage): Promise<TokenSource> {
  const region = await loadDefaultRegion();
  if (region === undefined)
    throw new BridgeError("no-region", "no region to sign IAM tokens for: AWS_REGION is not set");
  return tokensFor(iam, region, credentials.current);
}

/** What AWS would not accept of a user or a cache name; undefined when both are fine. */
export function describeIamProblem(
  iam: Iam,
): { readonly at: "username" | "cacheName"; readonly problem: string } | undefined {
  try {
    tokensFor(iam, "us-east-1", () => Promise.reject(new TypeError("nothing is signed here")));
    return undefined;
  } catch (error) {
    if (!(error instanceof IamCacheAuthOptionError)) throw error;
    return error.code === "illegal-user-id"
      ? { at: "username", problem: "is no user id that AWS accepts: letters, digits and hyphens, with a letter first" }
      : { at: "cacheName", problem: "is no name that AWS gives a cache, and must not be an endpoint" };
  }
}

function tokensFor(
  { username: userId, cacheName, service, serverless }: Iam,
  region: string,
  credentials: AwsStage["credentials"]["current"],
): TokenSource {
  const common = { userId, region, credentials };
  return service === "memorydb"
    ? memoryDBTokens({ ...common, clusterName: cacheName })
    : elastiCacheTokens({ ...common, cacheName, serverless });
}
