import * as v from "valibot";
import type { BoundedFetch, BoundedResponse } from "../lib/bounded-fetch.ts";
import { isLoopbackHost } from "../lib/loopback.ts";
import { parseReply } from "../lib/parse-reply.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { judgeReply } from "../lib/upstream-verdict.ts";
import { createKeySet, jwkSet, type KeySet } from "./key-set.ts";

const TIMEOUT_MS = 10_000;
/** Buildkite's document is under 1 KiB, its key set under 2. */
const MAX_DISCOVERY_BYTES = 64 * 1024;
const MAX_JWKS_BYTES = 512 * 1024;

const discoveryDocument = v.object({ issuer: v.string(), jwks_uri: v.string() });

/**
 * Fetches the issuer's present keys by OpenID Connect Discovery 1.0, section 4: `{issuer}/.well-known/openid-configuration`, then
 * its `jwks_uri`. Two bounded calls without redirects; nothing a caller sent takes part in either address.
 *
 * The document must name exactly this issuer, and `jwks_uri` must be https, or loopback when the issuer is. Keys fetched
 * over plain HTTP from elsewhere would let the network decide who is authenticated.
 *
 * Throws `UpstreamFault`: `upstream-unavailable` without a 200, `upstream-malformed` when a document breaks these rules.
 */
export async function discoverKeys(issuer: string, fetch: BoundedFetch): Promise<KeySet> {
  return fetchKeySet(await findKeySet(issuer, fetch), fetch);
}

/** The first of the two calls: where the issuer's keys are. Throws as `discoverKeys`. */
export async function findKeySet(issuer: string, fetch: BoundedFetch): Promise<string> {
  const discoveryUrl = `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
  if (!mayFetchKeysFrom(discoveryUrl, issuer)) throw malformed("fetch the discovery document: the issuer is not https");
  const discovery = { upstream: "oidc", operation: "fetch the discovery document" } as const;
  const document = parseReply(
    discoveryDocument,
    await getJson(fetch, { ...discovery, url: discoveryUrl, maxBytes: MAX_DISCOVERY_BYTES }),
    discovery,
  );
  if (document.issuer !== issuer) throw malformed(`${discovery.operation}: it names another issuer`);
  if (!mayFetchKeysFrom(document.jwks_uri, issuer)) throw malformed(`${discovery.operation}: jwks_uri is not https`);
  return document.jwks_uri;
}

/** The second: the keys that are there now. Throws as `discoverKeys`. `jwksUri` comes from `findKeySet` alone, which has checked it. */
export async function fetchKeySet(jwksUri: string, fetch: BoundedFetch): Promise<KeySet> {
  const jwks = { upstream: "oidc", operation: "fetch the key set" } as const;
  const reply = await getJson(fetch, { ...jwks, url: jwksUri, maxBytes: MAX_JWKS_BYTES });
  return createKeySet(parseReply(jwkSet, reply, jwks).keys);
}

async function getJson(
  fetch: BoundedFetch,
  call: { readonly upstream: "oidc"; readonly operation: string; readonly url: string; readonly maxBytes: number },
): Promise<BoundedResponse> {
  const headers = { accept: "application/json", "user-agent": "chinmina-bridge" };
  const response = await fetch({ ...call, method: "GET", headers, timeoutMs: TIMEOUT_MS });
  const verdict = judgeReply({ upstream: "oidc", status: response.status });
  if (verdict === "success") return response;
  throw new UpstreamFault(verdict, call.operation, { upstream: "oidc", status: response.status });
}

/** https anywhere; http only from this machine to itself. User information would be sent as a password. */
function mayFetchKeysFrom(address: string, issuer: string): boolean {
  const url = URL.parse(address);
  if (url === null || url.username !== "" || url.password !== "") return false;
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && isLoopbackHost(url.hostname) && isLoopbackHost(new URL(issuer).hostname);
}

function malformed(message: string): UpstreamFault {
  return new UpstreamFault("upstream-malformed", message, { upstream: "oidc" });
}
