import type { CacheKey } from "../cache/cache.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { callerScopeOf, canonicalProfile } from "./canonical-profile.ts";

/**
 * `DIGEST:APP_ID:INSTALLATION_ID:PROFILE_URN`: everything that decides what GitHub is asked for, but for a pipeline's own repository,
 * which Buildkite is asked for when a token is made. On github.com it is the key that every instance of a mixed fleet uses, so its
 * form is fixed; `host` is the repositories' host where that is another one.
 *
 * A caller's scope is lower-cased (ASCII): GitHub takes every spelling for one repository.
 */
export function cacheKey(request: AuthorizedRequest, host: string): CacheKey {
  const { policyDigest, app, identity, profile, target } = request;
  const scope = callerScopeOf(target)?.toLowerCase();
  const prefix = host === "github.com" ? "" : `${host}:`;
  return {
    text: `${prefix}${policyDigest}:${app.appId}:${app.installationId}:${canonicalProfile(identity, profile, scope)}`,
    callerVaried: scope !== undefined,
  };
}
