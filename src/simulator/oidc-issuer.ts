import type { Clock } from "../lib/clock.ts";
import { signJwt } from "./compact-jwt.ts";
import type { Asker } from "./journal.ts";
import { isJsonObject, parseJson, type JsonObject } from "./json.ts";
import { claimsOnRequest, DEFAULT_LIFETIME_SECONDS, jobClaims } from "./job-claims.ts";
import { generateRsaKey, publicJwk, type RsaKey } from "./rsa-key.ts";
import type { Asked } from "./upstream-server.ts";
import type { BuildkiteWorld, Job } from "./world.ts";

export interface IssueOptions {
  /** Whose token it is; the world's first job unless given. */
  readonly jobId?: string;
  /** Laid over `alg`, `kid` and `typ`; a member that is undefined is left out. */
  readonly header?: JsonObject;
  /** Signs instead of the issuer's current key, whose `kid` stays unless `header` has another. */
  readonly key?: RsaKey;
}

/** Buildkite as an OIDC issuer. */
export interface OidcIssuer {
  readonly url: string;
  /** What the key set shows, newest last. Mutable, so that tests can add strange keys. */
  readonly publishedKeys: JsonObject[];
  /** The key that signs. */
  readonly currentKey: () => RsaKey;
  /** From now on a new key signs. The old one stays in the key set unless dropped. */
  readonly rotate: (options?: { readonly dropOld?: boolean; readonly key?: RsaKey }) => Promise<RsaKey>;
  /**
   * A token of a job with every claim Buildkite knows, the optional ones included. `claims` are laid over them; one that is
   * undefined is left out.
   */
  readonly issueToken: (claims?: JsonObject, options?: IssueOptions) => string;
}

export interface OidcIssuerParts {
  readonly world: BuildkiteWorld;
  readonly clock: Clock;
  readonly key: RsaKey;
  readonly audience: string;
  readonly url: () => string;
}

interface ServedIssuer {
  readonly issuer: OidcIssuer;
  readonly answer: (asked: Asked) => Response;
}

export function createOidcIssuer(parts: OidcIssuerParts): ServedIssuer {
  const { world, clock } = parts;
  let current = parts.key;
  const publishedKeys: JsonObject[] = [publicJwk(current)];
  const issuer: OidcIssuer = {
    get url() {
      return parts.url();
    },
    publishedKeys,
    currentKey: () => current,
    rotate: async ({ dropOld = false, key } = {}) => {
      const next = key ?? (await generateRsaKey());
      if (dropOld) publishedKeys.splice(0);
      publishedKeys.push(publicJwk(next));
      current = next;
      return next;
    },
    issueToken: (claims = {}, options = {}) => {
      const job = jobFor(world, options.jobId);
      const base = jobClaims(world, job, { issuer: parts.url(), audience: parts.audience, nowMs: clock.nowMs() });
      const header = { alg: "RS256", typ: "JWT", kid: current.id, ...options.header };
      const signer = options.key ?? current;
      return signJwt(header, { ...base, ...claimsOnRequest(world, job), ...claims }, signer.privateKey);
    },
  };
  return { issuer, answer: (asked) => answerOidc(issuer, parts, asked) };
}

function answerOidc(issuer: OidcIssuer, parts: OidcIssuerParts, asked: Asked): Response {
  const route = `${asked.method} /${asked.segments.join("/")}`;
  if (route === "GET /.well-known/openid-configuration") return Response.json(discovery(issuer.url));
  if (route === "GET /.well-known/jwks") return Response.json({ keys: issuer.publishedKeys });
  const jobId = /^POST \/v3\/jobs\/([^/]+)\/oidc\/tokens$/.exec(route)?.[1];
  return jobId === undefined ? failure(404, "Not Found") : answerAgent(issuer, parts, jobId, asked);
}

function discovery(url: string): JsonObject {
  return {
    issuer: url,
    jwks_uri: `${url}/.well-known/jwks`,
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["id_token"],
    scopes_supported: ["openid"],
    subject_types_supported: ["public"],
  };
}

/** The agent API's way to a token: only claims that were asked for by name are added. */
function answerAgent(issuer: OidcIssuer, parts: OidcIssuerParts, jobId: string, asked: Asked): Response {
  if (asked.headers.get("authorization") !== `Token ${parts.world.agentAccessToken}`) {
    return failure(401, "Please supply a valid agent access token");
  }
  const job = parts.world.jobs.find(({ id }) => id === jobId);
  if (job === undefined) return failure(404, "No job found");
  const body = parseJson(asked.body);
  if (!isJsonObject(body)) return failure(400, "The body is not a JSON object");
  const { audience = `${parts.url()}/default`, lifetime = DEFAULT_LIFETIME_SECONDS, claims = [] } = body;
  if (typeof audience !== "string" || typeof lifetime !== "number" || !Array.isArray(claims)) {
    return failure(422, "audience, lifetime or claims is of the wrong type");
  }
  const known = claimsOnRequest(parts.world, job);
  const unknown = claims.some((name) => typeof name !== "string" || !isClaimOnRequest(known, name));
  if (unknown) return failure(422, "Unsupported claim");
  const wanted = Object.entries(known).filter(([name]) => claims.includes(name));
  const request = { issuer: parts.url(), audience, nowMs: parts.clock.nowMs(), lifetimeSeconds: lifetime };
  const payload = { ...jobClaims(parts.world, job, request), ...Object.fromEntries(wanted) };
  const key = issuer.currentKey();
  return Response.json({ token: signJwt({ alg: "RS256", typ: "JWT", kid: key.id }, payload, key.privateKey) });
}

/** A tag that the agent lacks may be asked for, and is then not in the token. */
function isClaimOnRequest(known: JsonObject, name: string): boolean {
  return Object.hasOwn(known, name) || /^agent_tag:./.test(name);
}

export function identifyAgent(headers: Headers): Asker {
  const value = headers.get("authorization");
  if (value === null) return { authorization: "none" };
  return { authorization: value.startsWith("Token ") ? "agent-token" : "unknown" };
}

function jobFor(world: BuildkiteWorld, id: string | undefined): Job {
  const job = id === undefined ? world.jobs[0] : world.jobs.find((one) => one.id === id);
  if (job === undefined) throw new TypeError(`the world has no job ${id ?? "at all"}`);
  return job;
}

function failure(status: number, message: string): Response {
  return Response.json({ message }, { status });
}
