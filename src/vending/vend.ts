import type { Cache, CacheKey, Loaded, Source } from "../cache/cache.ts";
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
  /** Told once a request what the cache had for it: `mismatch` is a token for another repository than git asked about. */
  readonly observe?: (result: "hit" | "miss" | "mismatch" | "error", appName: string) => void;
}

export function createVend(options: VendOptions): Vend {
  const { cache, mint, moved, webUrl, clock, mayRenew, announce, observe } = options;
  const fits: Fits = (request, token, asked) => isForAsked(request, token, asked, webUrl);
  return (request, asked) => {
    const key = cacheKey(request, webUrl.host);
    const held = cache.peek(key, request, renewalOf);
    if (held === undefined) return loadFirst(request, key, asked);
    const isFitting = fits(request, held, asked);
    observe?.(isFitting ? "hit" : "mismatch", request.app.name);
    if (isFitting) return { kind: "vended", token: held, source: "memory" };
    return reload(request, key, held, asked);
  };

  async function loadFirst(
    request: AuthorizedRequest,
    key: CacheKey,
    asked: AskedRepository | undefined,
  ): Promise<VendOutcome> {
    const loaded = await cache.load(key, sourceOf(request, "miss")).catch((error: unknown) => {
      observe?.("error", request.app.name);
      throw error;
    });
    const isHeld = loaded.kind === "value" && loaded.source !== "fetched";
    observe?.(isHeld ? (fits(request, loaded.value, asked) ? "hit" : "mismatch") : "miss", request.app.name);
    return conclude(request, key, loaded, asked);
  }

  async function conclude(
    request: AuthorizedRequest,
    key: CacheKey,
    loaded: Loaded<VendedToken, Refusal>,
    asked: AskedRepository | undefined,
  ): Promise<VendOutcome> {
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
    return conclude(request, key, await cache.load(key, sourceOf(request, "mismatch")), asked);
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
}

type Fits = (request: AuthorizedRequest, token: VendedToken, asked: AskedRepository | undefined) => boolean;

/** A pipeline's token is for one repository: git must have asked about that one. */
function isForAsked(...[{ target }, token, asked, webUrl]: [...Parameters<Fits>, webUrl: URL]): boolean {
  if (asked === undefined || target.kind !== "pipeline") return true;
  return isPipelineRepository(token.repositoryUrl, asked, webUrl);
}
