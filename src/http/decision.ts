import type { TokenDescription, TokenRepositories } from "../token/token-description.ts";
import type { VendedToken } from "../token/vended-token.ts";
import type { Refusal } from "./error-response.ts";

/** What a token request comes to, before it is written in a format. */
export type Decision =
  | {
      readonly kind: "token";
      readonly description: TokenDescription;
      readonly repositories: TokenRepositories;
      readonly token: VendedToken;
      /** As git sent it, on git routes. */
      readonly gitPath: string | undefined;
    }
  /** We have nothing for this: 204 on token routes; on git routes an empty reply, so that git goes on to its next helper. */
  | { readonly kind: "nothing" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export const NOTHING: Decision = { kind: "nothing" };

export function refused(refusal: Refusal): Decision {
  return { kind: "refused", refusal };
}
