import type { Cache, CacheKey, Loaded } from "../cache/cache.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import type { VendedToken } from "../token/vended-token.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { cacheKey } from "./cache-key.ts";
import { isPipelineRepository, type AskedRepository } from "./coverage.ts";
import type { Occasion, Refusal } from "./mint.ts";
import type { MovedPipelines } from "./moved-pipelines.ts";
import { createTokenSources, type Interest, type TokenSourceOptions } from "./token-sources.ts";

export type TokenSource = "memory" | "valkey" | "github";

export type VendOutcome =
  | { readonly kind: "vended"; readonly token: VendedToken; readonly source: TokenSource }
  /** git asked about another repository than the pipeline's own. */
  | { readonly kind: "another-repository" }
  | Refusal;

/**
 * A token for a request that has been authorized: the one we have, or a new one. `asked` is what a git client asked about; for a
 * pipeline it must be the pipeline's own repository. A promise only when somebody has to be asked. What is made for a request that is over,
 * or about another repository than git asked for, is announced before it is kept: no other line would tell of it.
 */
export type Vend = (
  request: AuthorizedRequest,
  asked?: AskedRepository,
  interest?: Interest,
) => MaybePromise<VendOutcome>;

export interface VendOptions extends TokenSourceOptions {
  readonly cache: Cache<VendedToken, Refusal>;
  readonly moved: MovedPipelines;
  /** Told once a request what the cache had for it: `mismatch` is a token for another repository than git asked about. */
  readonly observe?: (result: "hit" | "miss" | "mismatch" | "error", appName: string) => void;
}

export function createVend(options: VendOptions): Vend {
  const { cache, moved, webUrl, observe } = options;
  const { sourceOf, renewalOf } = createTokenSources(options);
  const fits = (request: AuthorizedRequest, token: VendedToken, asked: AskedRepository | undefined): boolean =>
    isForAsked(request, token, asked, webUrl);
  /** What is made and not for whoever asked is kept for others, and no line of a request tells of it. */
  const sourceFor = (request: AuthorizedRequest, occasion: Occasion, asked?: AskedRepository, interest?: Interest) =>
    sourceOf(request, occasion, (token) => interest?.isOver === true || !fits(request, token, asked));

  return (request, asked, interest) => {
    const key = cacheKey(request, webUrl.host);
    const held = cache.peek(key, request, renewalOf);
    if (held === undefined) return loadFirst(request, key, asked, interest);
    const isFitting = fits(request, held, asked);
    observe?.(isFitting ? "hit" : "mismatch", request.app.name);
    if (isFitting) return { kind: "vended", token: held, source: "memory" };
    return reload(request, key, held, asked, interest);
  };

  async function loadFirst(
    request: AuthorizedRequest,
    key: CacheKey,
    asked: AskedRepository | undefined,
    interest: Interest | undefined,
  ): Promise<VendOutcome> {
    const loaded = await cache.load(key, sourceFor(request, "miss", asked, interest)).catch((error: unknown) => {
      observe?.("error", request.app.name);
      throw error;
    });
    const isHeld = loaded.kind === "value" && loaded.source !== "fetched";
    observe?.(isHeld ? (fits(request, loaded.value, asked) ? "hit" : "mismatch") : "miss", request.app.name);
    return conclude(request, key, loaded, asked, interest);
  }

  async function conclude(
    request: AuthorizedRequest,
    key: CacheKey,
    loaded: Loaded<VendedToken, Refusal>,
    asked: AskedRepository | undefined,
    interest: Interest | undefined,
  ): Promise<VendOutcome> {
    if (loaded.kind === "answer") return loaded.answer;
    if (loaded.source !== "fetched" && !fits(request, loaded.value, asked))
      return reload(request, key, loaded.value, asked, interest);
    if (!fits(request, loaded.value, asked)) return { kind: "another-repository" };
    return { kind: "vended", token: loaded.value, source: loaded.source === "fetched" ? "github" : loaded.source };
  }

  /** The pipeline may have moved since the token was made. */
  async function reload(
    request: AuthorizedRequest,
    key: CacheKey,
    held: VendedToken,
    asked: AskedRepository | undefined,
    interest: Interest | undefined,
  ): Promise<VendOutcome> {
    if (!(await moved.hasMoved(request.identity, held.repositoryUrl))) return { kind: "another-repository" };
    await cache.drop(key);
    const loaded = await cache.load(key, sourceFor(request, "mismatch", asked, interest));
    return conclude(request, key, loaded, asked, interest);
  }
}

/** Whether a token is for what git asked about: a pipeline's may be for another repository. */
function isForAsked(
  { target }: AuthorizedRequest,
  token: VendedToken,
  asked: AskedRepository | undefined,
  webUrl: URL,
): boolean {
  if (asked === undefined || target.kind !== "pipeline") return true;
  return isPipelineRepository(token.repositoryUrl, asked, webUrl);
}
