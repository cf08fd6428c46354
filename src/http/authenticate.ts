import type { Authentication, Verifier } from "../oidc/buildkite-identity.ts";
import type { Caller } from "./caller.ts";
import type { Refusal } from "./error-response.ts";

export type Authenticated =
  | Extract<Authentication<Caller>, { readonly kind: "authenticated" }>
  | { readonly kind: "refused"; readonly refusal: Refusal };

const NO_CREDENTIALS: Authenticated = refused("no-credentials", "no bearer token was sent");
/** Bun joins repeated headers with a comma, which no JWT contains. */
const AMBIGUOUS: Authenticated = refused("invalid-token", "more than one Authorization value was sent");

/**
 * Who sends this `Authorization` header. A promise only when the token has not been verified before.
 *
 * All failures look the same outside (RFC 6750 section 3.1); only the absence of any credentials is told apart.
 */
export function authenticate(
  authorization: string | null,
  verifier: Verifier<Caller>,
): Authenticated | Promise<Authenticated> {
  if (authorization === null) return NO_CREDENTIALS;
  if (authorization.includes(",")) return AMBIGUOUS;
  const token = bearerToken(authorization);
  if (token === undefined) return NO_CREDENTIALS;
  const verdict = verifier.verify(token);
  return verdict instanceof Promise ? verdict.then(toAuthenticated) : toAuthenticated(verdict);
}

/** The scheme is case-insensitive (RFC 9110 section 11.1); `Bearer` alone, or another scheme, is no credential for us. */
function bearerToken(authorization: string): string | undefined {
  if (!/^bearer /i.test(authorization)) return undefined;
  const token = authorization.slice("Bearer ".length).trim();
  return token === "" ? undefined : token;
}

function toAuthenticated(verdict: Authentication<Caller>): Authenticated {
  switch (verdict.kind) {
    case "authenticated":
      return verdict;
    case "invalid":
      return refused("invalid-token", verdict.cause);
    case "unavailable":
      return refused("unavailable", verdict.cause);
  }
}

function refused(code: Refusal["code"], cause: string): Authenticated {
  return { kind: "refused", refusal: { code, cause } };
}
