import { REMEMBERED_TOKENS } from "../../src/oidc/verifier.ts";

/** The service knows so many JWTs again at most: two generations of them, the older of which goes when the younger is full. */
export const MOST_REMEMBERED = 2 * REMEMBERED_TOKENS.proofs;
/**
 * Of so many JWTs that are sent in turn, and served, none is known again: enough others come between. A quarter more than are remembered,
 * because requests overtake one another, and because those that were under way when a run of load stopped are sent again by the next.
 */
export const FORGOTTEN_AFTER = MOST_REMEMBERED + MOST_REMEMBERED / 4;
