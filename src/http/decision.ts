import type { TokenDescription } from "../token/token-description.ts";
import type { Refusal } from "./error-response.ts";
import type { KnownToken } from "./known-tokens.ts";

/** What a token request comes to, before it is written in a format. */
export type Decision =
  | {
      readonly kind: "token";
      readonly description: TokenDescription;
      readonly token: KnownToken;
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
