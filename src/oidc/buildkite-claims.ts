import type { BuildkiteIdentity } from "./buildkite-identity.ts";
import { CompactClaims, type ClaimValues } from "./claim-values.ts";
import { InvalidToken } from "./invalid-token.ts";
import type { JsonObject } from "./json-object.ts";
import type { RegisteredClaims } from "./registered-claims.ts";

export interface OrganizationPin {
  readonly organizationSlug: string;
  /** When given, the token must have been issued to this very organization: a slug can be given up and taken by another. */
  readonly organizationId?: string;
}

/** Claims that a profile may match on when they are there. `agent_tag:NAME` joins them. */
const OPTIONAL_MATCHABLE = ["build_tag", "cluster_id", "cluster_name", "queue_id", "queue_key"] as const;
const AGENT_TAG = "agent_tag:";

/** Buildkite's agents send these only when told to. */
const ON_REQUEST: ReadonlySet<string> = new Set(["pipeline_id", "organization_id"]);

/** What ends one name and begins another in URLs, names and keys; and what nobody sees. */
const NOT_IN_IDS = /[/\s\p{Cc}]/u;

/**
 * Who asks, from the claims of a Buildkite OIDC token (https://buildkite.com/docs/agent/cli/reference/oidc) that has been verified.
 *
 * Required claims are there, of their type and not empty; optional ones are strings; null is absent; unknown claims are
 * ignored. The values that name things in URLs and keys hold no `/`, white space or control character, and are not a dot
 * segment. Claims that are only matched on may hold anything that is Unicode: the match rules judge them. Throws `InvalidToken`.
 */
export function readBuildkiteIdentity(registered: RegisteredClaims, pin: OrganizationPin): BuildkiteIdentity {
  const { issuer, subject, audience, expiresAtEpochSeconds, payload } = registered;
  assertOrganization(payload, pin);
  const pipelineSlug = requireId(payload, "pipeline_slug");
  const pipelineId = requireId(payload, "pipeline_id");
  const buildNumber = requireCount(payload, "build_number");
  const buildBranch = requireText(payload, "build_branch");
  const buildCommit = requireText(payload, "build_commit");
  const jobId = requireId(payload, "job_id");
  requireId(payload, "agent_id");
  readText(payload, "step_key");
  return {
    issuer,
    subject,
    audience,
    expiresAtEpochSeconds,
    organizationSlug: pin.organizationSlug,
    pipelineSlug,
    pipelineId,
    buildNumber,
    buildBranch,
    jobId,
    claims: new CompactClaims([
      ["pipeline_slug", pipelineSlug],
      ["pipeline_id", pipelineId],
      ["build_number", String(buildNumber)],
      ["build_branch", buildBranch],
      ["build_commit", buildCommit],
      ...readOptional(payload),
    ]),
  };
}

/** Claims of a token as a person wrote them down: some that every token has may be missing. */
export interface MatchableClaims {
  /** What profiles may match on, exactly as `BuildkiteIdentity` has it for a token with these claims. */
  readonly claims: ClaimValues;
  /** Those of `claims` that every token has and that are not here: a rule on one of them does not hold. */
  readonly missing: readonly string[];
}

/**
 * The claims that profiles may match on, for tools: each one that is there is judged as a token's is, none has to be there, the
 * rest is ignored. Throws `InvalidToken` for a value with which the service would refuse a token.
 */
export function readMatchableClaims(payload: JsonObject): MatchableClaims {
  const required = Object.entries(REQUIRED_MATCHABLE);
  const present = required.filter(([name]) => read(payload, name) !== undefined);
  return {
    claims: new CompactClaims([
      ...present.map(([name, readValue]) => [name, readValue(payload, name)] as const),
      ...readOptional(payload),
    ]),
    missing: required.flatMap(([name]) => (read(payload, name) === undefined ? [name] : [])),
  };
}

const REQUIRED_MATCHABLE: Readonly<Record<string, (payload: JsonObject, name: string) => string>> = {
  pipeline_slug: requireId,
  pipeline_id: requireId,
  build_number: (payload, name) => String(requireCount(payload, name)),
  build_branch: requireText,
  build_commit: requireText,
};

function assertOrganization(payload: JsonObject, { organizationSlug, organizationId }: OrganizationPin): void {
  if (requireText(payload, "organization_slug") !== organizationSlug) {
    throw new InvalidToken('claim "organization_slug" is not the configured organization');
  }
  if (organizationId !== undefined && requireText(payload, "organization_id") !== organizationId) {
    throw new InvalidToken('claim "organization_id" is not the configured organization');
  }
}

/** The optional claims that can be matched: empty ones are as good as absent. */
function readOptional(payload: JsonObject): (readonly [string, string])[] {
  const agentTags = Object.keys(payload).filter((name) => name.startsWith(AGENT_TAG));
  return [...OPTIONAL_MATCHABLE, ...agentTags].flatMap((name) => {
    const value = readText(payload, name);
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
}

function requireId(payload: JsonObject, name: string): string {
  const id = requireText(payload, name);
  if (NOT_IN_IDS.test(id) || id === "." || id === "..") {
    throw new InvalidToken(`claim "${name}" holds a slash, white space or a control character, or is a dot segment`);
  }
  return id;
}

function requireText(payload: JsonObject, name: string): string {
  const value = readText(payload, name);
  if (value === undefined) throw new InvalidToken(`claim "${name}" is missing${hint(name)}`);
  if (value === "") throw new InvalidToken(`claim "${name}" is empty`);
  return value;
}

function readText(payload: JsonObject, name: string): string | undefined {
  const value = read(payload, name);
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw new InvalidToken(`claim "${quotable(name)}" is not a string`);
  // A lone surrogate is no text: every encoder makes something else of it, so it could be matched as one thing and logged as another.
  if (!value.isWellFormed()) throw new InvalidToken(`claim "${quotable(name)}" is not Unicode text`);
  return value;
}

function requireCount(payload: JsonObject, name: string): number {
  const value = read(payload, name);
  if (value === undefined) throw new InvalidToken(`claim "${name}" is missing`);
  if (!Number.isSafeInteger(value) || Number(value) < 0)
    throw new InvalidToken(`claim "${name}" is not a whole number`);
  return Number(value);
}

function read(payload: JsonObject, name: string): unknown {
  return Object.hasOwn(payload, name) ? (payload[name] ?? undefined) : undefined;
}

function hint(name: string): string {
  return ON_REQUEST.has(name) ? `: agents send it with --claim ${name}` : "";
}

/** The name of an agent tag is the caller's text; it goes no further than its kind. */
function quotable(name: string): string {
  return name.startsWith(AGENT_TAG) ? `${AGENT_TAG}…` : name;
}
