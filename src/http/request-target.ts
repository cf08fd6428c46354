/** The parts of a request's target, raw: nothing decoded. */
export interface RequestTarget {
  readonly path: string;
  /** Without the question mark; empty when there is none. */
  readonly query: string;
}

/**
 * Splits what Bun gives as `request.url`. By string, because Bun builds it from the Host header: a hostile Host leaves a relative
 * or an invalid URL, which `new URL` throws on, and must not decide where a request goes.
 */
export function splitRequestTarget(url: string): RequestTarget {
  const start = url.startsWith("/") ? 0 : pathStart(url);
  const question = url.indexOf("?", start);
  const fragment = url.indexOf("#", start);
  const end = fragment === -1 ? url.length : fragment;
  if (question === -1 || question > end) return { path: url.slice(start, end), query: "" };
  return { path: url.slice(start, question), query: url.slice(question + 1, end) };
}

function pathStart(url: string): number {
  const authority = url.indexOf("//");
  const slash = authority === -1 ? -1 : url.indexOf("/", authority + 2);
  return slash === -1 ? url.length : slash;
}

/** Undefined for an escape that is none, and for bytes that are not UTF-8. */
export function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** One `host[:port]`: a name, an IPv4 address, or an IPv6 address in brackets. Two Host headers arrive joined by a comma. */
export function isSingleHost(host: string | null): boolean {
  return host !== null && /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(host);
}
