import type { Cache, CacheKey, Source } from "../cache/cache.ts";
import type { Clock } from "../lib/clock.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import type { VendedToken } from "../token/vended-token.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { cacheKey } from "./cache-key.ts";
import { isPipelineRepository, type AskedRepository } from "./coverage.ts";
import { codecFor } from "./describe-token.ts";
import type { Mint, Occasion, Refusal } from "./mint.ts";
import type { MovedPipelines } from "./moved-pipelines.ts";

export type TokenSource = "memory" | "valkey" | "github";

export type VendOutcome =
  | { readonly kind: "vended"; readonly token: VendedToken; readonly source: TokenSource }
  /** git asked about another repository than the pipeline's own. */
  | { readonly kind: "another-repository" }
  | Refusal;

/**
 * A token for a request that has been authorized: the one we have, or a new one. `asked` is what a git client asked about; for a
 * pipeline it must be the pipeline's own repository. A promise only when somebody has to be asked.
 */
export type Vend = (request: AuthorizedRequest, asked?: AskedRepository) => MaybePromise<VendOutcome>;

export interface VendOptions {
  readonly cache: Cache<VendedToken, Refusal>;
  readonly mint: Mint;
  readonly moved: MovedPipelines;
  readonly webUrl: URL;
  readonly clock: Clock;
  /** Whether a token for this request may be made ahead of time: its policy generation is in force, and nothing has to be saved. */
  readonly mayRenew: (request: AuthorizedRequest) => boolean;
  /** Resolves when there is evidence of a token that was made in the background. */
  readonly announce: (request: AuthorizedRequest, token: VendedToken) => Promise<void>;
}

export function createVend({ cache, mint, moved, webUrl, clock, mayRenew, announce }: VendOptions): Vend {
  return (request, asked) => {
    const key = cacheKey(request, webUrl.host);
    const held = cache.peek(key, request, renewalOf);
    if (held === undefined) return load(request, key, asked, "miss");
    if (fits(request, held, asked)) return { kind: "vended", token: held, source: "memory" };
    return reload(request, key, held, asked);
  };

  async function load(
    request: AuthorizedRequest,
    key: CacheKey,
    asked: AskedRepository | undefined,
    occasion: Occasion,
  ): Promise<VendOutcome> {
    const loaded = await cache.load(key, sourceOf(request, occasion));
    if (loaded.kind === "answer") return loaded.answer;
    if (loaded.source !== "fetched" && !fits(request, loaded.value, asked))
      return reload(request, key, loaded.value, asked);
    if (!fits(request, loaded.value, asked)) return { kind: "another-repository" };
    return { kind: "vended", token: loaded.value, source: loaded.source === "fetched" ? "github" : loaded.source };
  }

  /** The pipeline may have moved since the token was made. */
  async function reload(
    request: AuthorizedRequest,
    key: CacheKey,
    held: VendedToken,
    asked: AskedRepository | undefined,
  ): Promise<VendOutcome> {
    if (!(await moved.hasMoved(request.identity, held.repositoryUrl))) return { kind: "another-repository" };
    await cache.drop(key);
    return load(request, key, asked, "mismatch");
  }

  function sourceOf(request: AuthorizedRequest, occasion: Occasion): Source<VendedToken, Refusal> {
    return {
      codec: codecFor(request, webUrl, clock.nowMs),
      fetch: () => mint(request, occasion),
      announce: (token) => announce(request, token),
      renewal: () => renewalOf(request),
    };
  }

  function renewalOf(request: AuthorizedRequest): Source<VendedToken, Refusal> | undefined {
    return mayRenew(request) ? sourceOf(request, "renewal") : undefined;
  }

  function fits({ target }: AuthorizedRequest, token: VendedToken, asked: AskedRepository | undefined): boolean {
    if (asked === undefined || target.kind !== "pipeline") return true;
    return isPipelineRepository(token.repositoryUrl, asked, webUrl);
  }
}
