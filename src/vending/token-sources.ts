import type { Source } from "../cache/cache.ts";
import type { Clock } from "../lib/clock.ts";
import type { VendedToken } from "../token/vended-token.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { codecFor } from "./describe-token.ts";
import type { Mint, Occasion, Refusal } from "./mint.ts";

/** Whether the request has been answered by other means, because its client has gone or its time is up. */
export interface Interest {
  readonly isOver: boolean;
}

export interface TokenSourceOptions {
  readonly mint: Mint;
  readonly webUrl: URL;
  readonly clock: Clock;
  /** Whether a token for this request may be made ahead of time: its policy generation is in force, and nothing has to be saved. */
  readonly mayRenew: (request: AuthorizedRequest) => boolean;
  /** Resolves when there is evidence of a token that was made in the background. */
  readonly announce: (request: AuthorizedRequest, token: VendedToken) => Promise<void>;
}

/** How the cache has tokens made. */
export interface TokenSources {
  readonly sourceOf: (
    request: AuthorizedRequest,
    occasion: Occasion,
    /** Whether whoever asked gets nothing of this token. */
    isUnwanted?: (token: VendedToken) => boolean,
  ) => Source<VendedToken, Refusal>;
  /** Undefined while the request may not be renewed. */
  readonly renewalOf: (request: AuthorizedRequest) => Source<VendedToken, Refusal> | undefined;
}

export function createTokenSources({ mint, webUrl, clock, mayRenew, announce }: TokenSourceOptions): TokenSources {
  const sourceOf: TokenSources["sourceOf"] = (request, occasion, isUnwanted) => ({
    codec: codecFor(request, webUrl, clock.nowMs),
    fetch: () => mint(request, occasion),
    announce: (token) => announce(request, token),
    ...(isUnwanted === undefined ? {} : { isUnwanted }),
    renewal: () => renewalOf(request),
  });
  const renewalOf: TokenSources["renewalOf"] = (request) =>
    mayRenew(request) ? sourceOf(request, "renewal") : undefined;
  return { sourceOf, renewalOf };
}
