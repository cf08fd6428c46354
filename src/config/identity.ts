import type { Configuration, JwtConfiguration } from "./configuration.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { matching, secretDocument, tokenSecret, lineOfText, wholeNumber } from "./format.ts";
import { issuerUrl, serviceUrl } from "./url-format.ts";
import { variablesOf } from "./variable.ts";

const jwt = variablesOf("identity");
const buildkite = variablesOf("buildkite");

/** The audience that every installation has unless it chooses its own. */
export const DEFAULT_AUDIENCE = "app-token-issuer";

const segment = matching(
  "one word without slashes and white space",
  /^[^/\s\p{Cc}]{1,256}$/u,
  "has a slash, white space or a control character in it, or is too long",
);

/** Whose tokens are believed. */
export const JWT = {
  organizationSlug: jwt.required({
    name: "JWT_BUILDKITE_ORGANIZATION_SLUG",
    meaning: "The slug of the Buildkite organization whose jobs are served; the claim organization_slug must equal it.",
    format: segment,
  }),
  organizationId: jwt.optional({
    name: "JWT_BUILDKITE_ORGANIZATION_ID",
    whenUnset: "the slug alone decides",
    meaning:
      "When set, the claim organization_id must be there and equal: all organizations share one issuer, and a freed slug can be registered again.",
    format: segment,
  }),
  audience: jwt.defaulted({
    name: "JWT_AUDIENCE",
    default: DEFAULT_AUDIENCE,
    meaning: "What the claim aud must include.",
    format: lineOfText("text without control characters"),
  }),
  issuerUrl: jwt.defaulted({
    name: "JWT_ISSUER_URL",
    default: "https://agent.buildkite.com",
    meaning: "What the claim iss must equal; its discovery document names the keys.",
    format: issuerUrl,
  }),
  staticJwks: jwt.optional({
    name: "JWT_JWKS_STATIC",
    whenUnset: "keys are discovered at the issuer",
    meaning: "A JWKS that is used instead of discovery.",
    secret: true,
    format: secretDocument("a JWKS, as JSON"),
  }),
} as const;

/** How pipelines are looked up. */
export const BUILDKITE = {
  apiToken: buildkite.required({
    name: "BUILDKITE_API_TOKEN",
    meaning: "A Buildkite API token with the scope read_pipelines.",
    secret: true,
    format: tokenSecret("the token alone, in one line"),
  }),
  apiUrl: buildkite.defaulted({
    name: "BUILDKITE_API_URL",
    default: "https://api.buildkite.com",
    meaning: "Buildkite's REST API; /v2/organizations/… follows it.",
    format: serviceUrl,
  }),
  callsPerMinutePerPipeline: buildkite.defaulted({
    name: "CALLER_UPSTREAM_CALLS_PER_MINUTE",
    default: "60",
    meaning: "What one pipeline may cause in calls to GitHub and Buildkite in a minute; 503 above it.",
    format: wholeNumber(1, 1_000_000),
  }),
} as const;

/** `checkJwks` says what is wrong with the key set, without repeating any of it. */
export function readJwt(
  reader: EnvironmentReader,
  checkJwks: (jwks: string) => string | undefined,
): JwtConfiguration | undefined {
  const organizationSlug = reader.read(JWT.organizationSlug);
  const organizationId = reader.read(JWT.organizationId);
  const staticJwks = reader.read(JWT.staticJwks);
  const problem = staticJwks === undefined ? undefined : checkJwks(staticJwks.reveal());
  if (problem !== undefined) reader.refuse(JWT.staticJwks, problem);
  const rest = { audience: reader.read(JWT.audience), issuerUrl: reader.read(JWT.issuerUrl) };
  if (organizationSlug === undefined) return undefined;
  return {
    organizationSlug,
    ...(organizationId === undefined ? {} : { organizationId }),
    ...rest,
    ...(staticJwks === undefined ? {} : { staticJwks }),
  };
}

export function readBuildkite(reader: EnvironmentReader): Configuration["buildkite"] | undefined {
  const apiToken = reader.read(BUILDKITE.apiToken);
  const rest = {
    apiUrl: reader.read(BUILDKITE.apiUrl),
    callsPerMinutePerPipeline: reader.read(BUILDKITE.callsPerMinutePerPipeline),
  };
  return apiToken === undefined ? undefined : { apiToken, ...rest };
}
