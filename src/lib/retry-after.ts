/** RFC 9110's one form of dates that is still sent. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * What `Retry-After` asks for, in whole seconds, unclamped: a whole number or a date (RFC 9110 section 10.2.3). A date is measured by the
 * sender's own clock, since ours may be off; one that has passed is 0. Undefined for anything else, for a date without a `Date` beside it too.
 */
export function readRetryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  if (!IMF_FIXDATE.test(text)) return undefined;
  const leftMs = Date.parse(text) - Date.parse(headers.get("date") ?? "");
  return Number.isNaN(leftMs) ? undefined : Math.max(0, Math.ceil(leftMs / 1000));
}
