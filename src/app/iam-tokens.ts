import { loadDefaultRegion } from "../aws/default-region.ts";
import type { ValkeyAuthentication } from "../config/configuration.ts";
import type { CheckIam } from "../config/valkey.ts";
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

/** What AWS would not accept of a user or a cache name. Each is tried beside one that is fine, so that both can be told. */
export const describeIamProblems: CheckIam = ({ service, username = "a", cacheName = "a" }) => {
  const wrong = (names: { readonly username: string; readonly cacheName: string }): boolean => {
    try {
      tokensFor({ kind: "iam", service, serverless: false, ...names }, "us-east-1", () => Promise.reject(NOT_SIGNED));
      return false;
    } catch (error) {
      if (error instanceof IamCacheAuthOptionError) return true;
      throw error;
    }
  };
  return [
    ...(wrong({ username, cacheName: "a" }) ? [BAD_USER] : []),
    ...(wrong({ username: "a", cacheName }) ? [BAD_CACHE] : []),
  ];
};

const NOT_SIGNED = new TypeError("nothing is signed here");

const BAD_USER = {
  at: "username",
  problem: "is no user id that AWS accepts",
  accepted: "letters, digits and hyphens, with a letter first",
} as const;

const BAD_CACHE = {
  at: "cacheName",
  problem: "is no name that AWS gives a cache, and must not be an endpoint",
  accepted: "1 to 40 letters, digits and single hyphens, with a letter first and no hyphen last",
} as const;

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
