import type { CacheKey } from "../cache/cache.ts";
import type { TokenDescription } from "../token/token-description.ts";

/**
 * Texts that follow from who asks, for which profile of which policy, of which App, and from the chosen repository: kept with a caller
 * that is in use. Only what depends on nothing else may be put in.
 */
export class RequestMemo {
  key: CacheKey | undefined;
  description: TokenDescription | undefined;
}
