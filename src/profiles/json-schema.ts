import { listPermissions } from "../permissions/permission.ts";
import { MATCHABLE_CLAIMS } from "./claim.ts";

type Schema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 7, which editors know best) of the profile file: it takes exactly the files that the service takes with every
 * profile available, as far as a schema can tell. It cannot see names that are used twice, whether RE2 takes a pattern, which Apps
 * there are, and what is YAML's own: repeated keys, tags, aliases.
 *
 * Null counts as absent where a value may be absent, as in the file.
 */
export function createProfileFileSchema(): Schema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Chinmina Bridge profiles",
    description: "Who may have which GitHub App installation tokens",
    type: ["object", "null"],
    additionalProperties: false,
    properties: {
      pipeline: section("Tokens for a pipeline's own repository", PIPELINE_PROFILE, { defaults: DEFAULTS }),
      organization: section("Tokens for repositories that the profile names", ORGANIZATION_PROFILE, {}),
    },
    definitions: { permissions: PERMISSIONS, rules: RULES, claim: CLAIM, repositories: REPOSITORIES },
  };
}

const PERMISSIONS: Schema = {
  description: "GitHub App permissions as field:action; metadata:read is always added",
  type: "array",
  minItems: 1,
  items: { enum: listPermissions() },
};

const DEFAULTS: Schema = {
  description: "What every pipeline may do with its own repository; contents:read when it is left out",
  type: ["object", "null"],
  additionalProperties: false,
  properties: { permissions: { anyOf: [{ type: "null" }, { $ref: "#/definitions/permissions" }] } },
};

/** Unicode's White_Space, Cc and Cs, spelt out: `\p` is known to JavaScript alone, and validators in Python refuse the whole schema for it. */
const SPACE_CONTROL_SURROGATE =
  "\\u0000-\\u0020\\u007F-\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000\\uD800-\\uDFFF";

const CLAIM: Schema = {
  description:
    "A claim of the job's token. build_branch and build_tag are labels that whoever creates the build chooses",
  anyOf: [{ enum: [...MATCHABLE_CLAIMS] }, { type: "string", pattern: `^agent_tag:[^${SPACE_CONTROL_SURROGATE}]+$` }],
};

const TEXT: Schema = { type: "string", minLength: 1 };
const ABSENT: Schema = { type: "null" };

const RULES: Schema = {
  description: "Rules that must all hold; without any, every pipeline may use the profile",
  type: ["array", "null"],
  items: {
    type: "object",
    additionalProperties: false,
    required: ["claim"],
    properties: {
      claim: { $ref: "#/definitions/claim" },
      value: { description: "The whole value, exactly", type: ["string", "null"] },
      valuePattern: { description: "RE2 syntax, matched against the whole value", type: ["string", "null"] },
    },
    oneOf: [
      { required: ["value"], properties: { value: TEXT, valuePattern: ABSENT } },
      { required: ["valuePattern"], properties: { valuePattern: TEXT, value: ABSENT } },
    ],
  },
};

const REPOSITORIES: Schema = {
  description: "Bare names, or one literal alone",
  anyOf: [
    {
      type: "array",
      minItems: 1,
      items: { type: "string", pattern: "^(?!\\.{1,2}$)(?!.*\\.[gG][iI][tT]$)[A-Za-z0-9._-]{1,100}$" },
    },
    {
      type: "array",
      minItems: 1,
      maxItems: 1,
      items: { enum: ["{{all-repositories}}", "{{caller-scoped-repository}}", "*"] },
    },
  ],
};

const NAME: Schema = { description: "What pipelines ask for", type: "string", pattern: "^[^/:]+$" };

const COMMON: Schema = {
  match: { $ref: "#/definitions/rules" },
  permissions: { $ref: "#/definitions/permissions" },
  app: {
    description: "The GitHub App that makes the tokens; the default one when it is left out",
    anyOf: [TEXT, ABSENT],
  },
};

const PIPELINE_PROFILE: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["name", "permissions"],
  properties: { name: { ...NAME, not: { const: "default" } }, ...COMMON },
};

const ORGANIZATION_PROFILE: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["name", "repositories", "permissions"],
  properties: { name: NAME, repositories: { $ref: "#/definitions/repositories" }, ...COMMON },
};

function section(description: string, profile: Schema, others: Schema): Schema {
  return {
    description,
    type: ["object", "null"],
    additionalProperties: false,
    properties: { ...others, profiles: { type: ["array", "null"], items: profile } },
  };
}
