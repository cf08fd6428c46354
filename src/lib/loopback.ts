/** Whether `hostname`, as a `URL` gives it, is an address that no router passes on: `169.254.0.0/16` or `fe80::/10`. */
export function isLinkLocalHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return /^169\.254(\.\d{1,3}){2}$/.test(host) || /^fe[89ab][0-9a-f]:/.test(host);
}

/**
 * Whether `hostname`, as a `URL` gives it (IPv6 in brackets or bare), can only mean this machine.
 *
 * `127.` must be a whole IPv4 address: `127.example.com` is a name that anyone can own. Names under `localhost` are
 * loopback by RFC 6761, section 6.3.
 */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
