import type { Cache } from "../cache/cache.ts";
import type { VendedToken } from "../token/vended-token.ts";
import type { AuthorizedRequest } from "./authorize.ts";
import { cacheKey } from "./cache-key.ts";
import type { Mint, Refusal } from "./mint.ts";

export type TokenSource = "memory" | "valkey" | "github";

export type VendOutcome =
  { readonly kind: "vended"; readonly token: VendedToken; readonly source: TokenSource } | Refusal;

/** A token for a request that has been authorized: the one we have, or a new one. A promise only when it has to be fetched. */
export type Vend = (request: AuthorizedRequest) => VendOutcome | Promise<VendOutcome>;

export function createVend(cache: Cache<VendedToken, Refusal>, mint: Mint, repositoryHost: string): Vend {
  return (request) => {
    const key = cacheKey(request, repositoryHost);
    const held = cache.peek(key);
    if (held !== undefined) return { kind: "vended", token: held, source: "memory" };
    return load();

    async function load(): Promise<VendOutcome> {
      const loaded = await cache.load(key, () => mint(request));
      if (loaded.kind === "answer") return loaded.answer;
      return { kind: "vended", token: loaded.value, source: loaded.source === "fetched" ? "github" : loaded.source };
    }
  };
}
