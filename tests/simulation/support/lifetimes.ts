/** As configured: shorter than a token's own hour, so that each end is reached by itself. */
export const TTL_MS = 30 * 60_000;
export const MAX_STALE_MS = 10 * 60_000;
export const LOCAL_TTL_MS = 5 * 60_000;
