import type { CacheKey } from "../cache/cache.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import type { TokenOrigin } from "../purge/purge-scope.ts";
import { callerScopeOf, canonicalProfile } from "./canonical-profile.ts";

/**
 * `DIGEST:APP_ID:INSTALLATION_ID:PROFILE_URN`: everything that decides what GitHub is asked for, but for a pipeline's own repository,
 * which Buildkite is asked for when a token is made. On github.com it is the key that every instance of a mixed fleet uses, so its
 * form is fixed; `host` is the repositories' host where that is another one.
 *
 * A caller's scope is lower-cased (ASCII): GitHub takes every spelling for one repository. `host` is the same for all requests that
 * share a memo.
 */
export function cacheKey(request: AuthorizedRequest, host: string): CacheKey {
  const { memo } = request;
  if (memo === undefined) return makeKey(request, host);
  return (memo.key ??= makeKey(request, host));
}

function makeKey({ policyDigest, app, identity, profile, target }: AuthorizedRequest, host: string): CacheKey {
  const scope = callerScopeOf(target)?.toLowerCase();
  const prefix = host === "github.com" ? "" : `${host}:`;
  return {
    text: `${prefix}${policyDigest}:${app.appId}:${app.installationId}:${canonicalProfile(identity, profile, scope)}`,
    callerVaried: scope !== undefined,
  };
}

const PROFILE_URN = ":profile://organization/";

/**
 * What a key tells of the token under it; undefined for a text that is none of `cacheKey`'s. The parts of a name hold no `/`, so each
 * form has a length of its own.
 */
export function readCacheKey(text: string): TokenOrigin | undefined {
  const at = text.indexOf(PROFILE_URN);
  const [installationId, appId] = at < 0 ? [] : text.slice(0, at).split(":").toReversed().map(Number);
  const parts = text.slice(at + PROFILE_URN.length).split("/");
  const named = readName(parts);
  if (named === undefined || !Number.isSafeInteger(appId) || !Number.isSafeInteger(installationId)) return undefined;
  return { ...named, appId: appId ?? 0, installationId: installationId ?? 0, urn: text.slice(at + 1) };
}

function readName(
  parts: readonly string[],
): Pick<TokenOrigin, "profileKind" | "profileName" | "pipelineId"> | undefined {
  const [, first, second, , , last = ""] = parts;
  if (parts.length === 6 && first === "pipeline")
    return { profileKind: "pipeline", profileName: last, pipelineId: second };
  if (first !== "profile" || second === undefined || (parts.length !== 3 && parts.length !== 5)) return undefined;
  return { profileKind: "organization", profileName: second, pipelineId: undefined };
}
