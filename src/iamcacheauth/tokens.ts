import { type AwsCredentialProvider, type AwsCredentials, retrieveCredentials } from "./credentials.ts";
import { IamCacheAuthOptionError } from "./errors.ts";
import { parseCacheName, parseRegion, parseUserId } from "./names.ts";
import { Sha256 } from "./sha256.ts";

/** What both services need. */
export interface TokenOptions {
  /** The id of the IAM-enabled user. In ElastiCache its user name must be the same. */
  readonly userId: string;
  readonly region: string;
  readonly credentials: AwsCredentialProvider;
  /** The time to sign with; the system's clock when absent. For tests. */
  readonly clock?: (() => Date) | undefined;
}

export interface ElastiCacheTokenOptions extends TokenOptions {
  /** The replication group id or the serverless cache's name; not an endpoint. Capitals are lowered, as AWS does. */
  readonly cacheName: string;
  /** True for an ElastiCache Serverless cache. */
  readonly serverless?: boolean | undefined;
}

export interface MemoryDBTokenOptions extends TokenOptions {
  /** The cluster's name; not an endpoint. Capitals are lowered, as AWS does. */
  readonly clusterName: string;
}

export interface TokenSource {
  /**
   * Signs a new token: a password for `AUTH` and `HELLO`, good for 15 minutes. Nothing is cached, so ask once for each
   * connection. `signal` bounds the credential provider; signing itself is local and takes microseconds.
   *
   * @throws {IamCacheAuthCredentialsError} when the provider fails (with its error as `cause`) or gives no key pair
   */
  token(options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
}

interface Target {
  readonly service: "elasticache" | "memorydb";
  readonly host: string;
  readonly userId: string;
  readonly region: string;
  readonly serverless: boolean;
}

/** AWS fixes a token's life at 15 minutes. */
const TOKEN_LIFETIME_SECONDS = 900;

/**
 * Tokens for an ElastiCache replication group or serverless cache.
 *
 * Does not check that the cache, the user or the permissions exist: AWS says so when a client connects.
 *
 * @throws {IamCacheAuthOptionError} for options that AWS could not accept
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
 */
export function elastiCacheTokens(options: ElastiCacheTokenOptions): TokenSource {
  const host = parseCacheName(options.cacheName, "cache");
  return tokenSource(options, { service: "elasticache", host, serverless: parseServerless(options.serverless) });
}

/**
 * Tokens for a MemoryDB cluster.
 *
 * @throws {IamCacheAuthOptionError} for options that AWS could not accept, `serverless` among them
 * @see https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html
 */
export function memoryDBTokens(options: MemoryDBTokenOptions): TokenSource {
  const host = parseCacheName(options.clusterName, "cluster");
  // Not in the type, so this is for callers in JavaScript: a token that says so is refused as a wrong password.
  if ("serverless" in options && parseServerless(options.serverless)) {
    throw new IamCacheAuthOptionError("serverless-not-supported", "MemoryDB has no serverless caches");
  }
  return tokenSource(options, { service: "memorydb", host, serverless: false });
}

function tokenSource(options: TokenOptions, chosen: Pick<Target, "service" | "host" | "serverless">): TokenSource {
  const { credentials, clock = () => new Date() } = options;
  const target: Target = { ...chosen, userId: parseUserId(options.userId), region: parseRegion(options.region) };
  if (typeof credentials !== "function") {
    throw new IamCacheAuthOptionError("missing-credentials", "credentials must be a credential provider function");
  }
  return {
    token: async ({ signal } = {}) => presign(target, await retrieveCredentials(credentials, signal), clock()),
  };
}

/** The presigned URL of the connect action without its scheme; the server rebuilds the URL and compares signatures. */
async function presign(target: Target, credentials: AwsCredentials, signingDate: Date): Promise<string> {
  const { service, host, userId, region, serverless } = target;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  // Only whoever signs waits for it to load, which takes longer than all of this library.
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const signer = new SignatureV4({
    service,
    region,
    sha256: Sha256,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
  });
  const query = { Action: "connect", User: userId, ...(serverless ? { ResourceType: "ServerlessCache" } : {}) };
  const request = { method: "GET", protocol: "http:", hostname: host, path: "/", query, headers: { host } };
  const signed = await signer.presign(request, { expiresIn: TOKEN_LIFETIME_SECONDS, signingDate });
  return `${host}/?${canonicalQuery(signed.query ?? {})}`;
}

/** Sorted and escaped as the signer did for its own purpose; it returns the parameters raw and in any order. */
function canonicalQuery(query: Readonly<Record<string, unknown>>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${escape3986(name)}=${escape3986(String(query[name]))}`)
    .join("&");
}

/** RFC 3986 escaping: `encodeURIComponent` leaves five reserved characters alone. */
function escape3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function parseServerless(serverless: unknown): boolean {
  if (serverless === undefined || typeof serverless === "boolean") return serverless ?? false;
  throw new IamCacheAuthOptionError("illegal-serverless", "serverless must be true or false");
}
