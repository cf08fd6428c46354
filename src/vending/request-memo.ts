import type { CacheKey } from "../cache/cache.ts";
import type { TokenDescription } from "../token/token-description.ts";

/**
 * Texts that follow from which pipeline asks for which profile of which policy, of which App, and for which chosen repository: kept while
 * they are in use. Only what depends on nothing else may be put in.
 */
export class RequestMemo {
  key: CacheKey | undefined;
  description: TokenDescription | undefined;
}
