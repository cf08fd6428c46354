import type { GitCredentialRequest } from "./git-credential.ts";

/** What git asked about, as far as it can be told without knowing the profile. */
export type GitRequest =
  /** Nothing we have anything for: an empty reply, so that git goes on to its next helper. */
  | { readonly kind: "skip" }
  | { readonly kind: "malformed"; readonly cause: string }
  | { readonly kind: "ask"; readonly path: string | undefined };

/**
 * The rules that come before any profile: no context at all is no question; half a context is a mistake; and only `https` at the
 * configured host is ours, compared literally, so that no token is ever handed to another host or port.
 */
export function readGitRequest({ protocol, host, path }: GitCredentialRequest, gitHubHost: string): GitRequest {
  const hasProtocol = isPresent(protocol);
  const hasHost = isPresent(host);
  if (!hasProtocol && !hasHost && !isPresent(path)) return { kind: "skip" };
  if (!hasProtocol || !hasHost) return { kind: "malformed", cause: "git sent a protocol or a host without the other" };
  if (protocol !== "https" || host !== gitHubHost) return { kind: "skip" };
  return { kind: "ask", path };
}

/** The URL that git asked about, for the audit entry; undefined when it sent no protocol or no host. */
export function requestedUrl({ protocol, host, path }: GitCredentialRequest): string | undefined {
  if (!isPresent(protocol) || !isPresent(host)) return undefined;
  return `${protocol}://${host}/${(path ?? "").replace(/^\//, "")}`;
}

function isPresent(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
