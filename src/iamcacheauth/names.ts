import { IamCacheAuthOptionError } from "./errors.ts";

/** 1 to 40 letters, digits and hyphens, a letter first, no hyphen last, no two in a row: AWS's rule for cache and cluster names. */
const CACHE_NAME = /^(?=.{1,40}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** The pattern of `UserId` in ElastiCache's CreateUser and of `UserName` in MemoryDB's; they state no longest length. */
const USER_ID = /^[a-zA-Z][a-zA-Z0-9-]*$/;

/** `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`. The pattern, not the list: regions are added. */
const REGION = /^[a-z]{2,8}(?:-[a-z]{1,16}){1,3}-[0-9]{1,2}$/;

/**
 * A cache or cluster name as the token must carry it. AWS stores these names in lower case and compares the token with
 * what it stored, so capitals are lowered.
 */
export function parseCacheName(name: unknown, kind: "cache" | "cluster"): string {
  const lowered = typeof name === "string" ? name.toLowerCase() : "";
  // The name becomes the host of a URL: anything but these characters could add a port, a path or query parameters.
  if (typeof name === "string" && CACHE_NAME.test(lowered) && isAscii(name)) return lowered;
  const rule = "1 to 40 letters, digits and single hyphens, with a letter first and no hyphen last (not an endpoint)";
  throw new IamCacheAuthOptionError(`illegal-${kind}-name`, `${kind}Name must be ${rule}`);
}

/** The user id, unchanged: AWS compares it as it is. */
export function parseUserId(userId: unknown): string {
  if (typeof userId === "string" && USER_ID.test(userId)) return userId;
  throw new IamCacheAuthOptionError(
    "illegal-user-id",
    "userId must be letters, digits and hyphens, with a letter first",
  );
}

export function parseRegion(region: unknown): string {
  if (typeof region === "string" && REGION.test(region)) return region;
  throw new IamCacheAuthOptionError("illegal-region", "region must be an AWS region such as eu-west-1");
}

/** Lower-casing turns the Kelvin sign into `k`: what was not ASCII before must not become so. */
function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
