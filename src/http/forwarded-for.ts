/**
 * The address that the outermost of our own proxies saw: each proxy appends its peer to X-Forwarded-For, so with `hops` of ours it is that
 * many from the right (one at least). What stands further left was written by the client. Undefined when fewer addresses arrived than we have proxies.
 */
export function forwardedFor(header: string | null, hops: number): string | undefined {
  if (header === null) return undefined;
  const addresses = header.split(",");
  const address = addresses[addresses.length - hops]?.trim();
  return address === undefined || address === "" ? undefined : address;
}
