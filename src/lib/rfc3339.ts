/** RFC 3339 in UTC without fractional seconds: `2026-01-12T23:45:42Z`. */
export function formatEpochSeconds(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19)}Z`;
}
