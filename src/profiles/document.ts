import type { Finding, Located, Position } from "./finding.ts";
import { inFileOrder } from "./finding.ts";
import { createShapeReader, type ShapeReader } from "./document-shape.ts";
import type { SourceNode } from "./source-node.ts";
import { decodeSource } from "./source-text.ts";
import { readSourceTree } from "./source-tree.ts";

/** A profile file that has the right shape. Whether its profiles make sense is for `compilePolicy` to say. */
export interface PolicyDocument {
  /** Absent: `pipeline.defaults.permissions` is not there, or null. */
  readonly defaultPermissions?: Located<readonly Located<string>[]>;
  readonly pipelineProfiles: readonly ProfileEntry[];
  readonly organizationProfiles: readonly ProfileEntry[];
}

/** One profile as it is written. A field that is absent or null in the file is absent here; an empty one is there and empty. */
export interface ProfileEntry {
  readonly at: Position;
  readonly name?: Located<string>;
  readonly app?: Located<string>;
  readonly permissions?: Located<readonly Located<string>[]>;
  /** Organization profiles alone have it. */
  readonly repositories?: Located<readonly Located<string>[]>;
  readonly match?: Located<readonly MatchEntry[]>;
}

export interface MatchEntry {
  readonly at: Position;
  readonly claim?: Located<string>;
  readonly value?: Located<string>;
  readonly valuePattern?: Located<string>;
}

export type DocumentReading =
  | { readonly kind: "document"; readonly document: PolicyDocument }
  /** In file order; never empty. */
  | { readonly kind: "refused"; readonly findings: readonly Finding[] };

/**
 * Reads a profile file strictly: YAML 1.2 within limits, no unknown or repeated key, every value of the type it must have
 * (a number is no text: quote it). An empty file, section or list is valid. Never throws.
 */
export function readDocument(bytes: Uint8Array): DocumentReading {
  const source = decodeSource(bytes);
  if (source.kind === "refused") return { kind: "refused", findings: [source.finding] };
  const tree = readSourceTree(source.text);
  if (tree.kind === "refused") return { kind: "refused", findings: inFileOrder(tree.findings) };
  const reader = createShapeReader();
  const document = readPolicy(tree.root, reader);
  return reader.findings.length > 0
    ? { kind: "refused", findings: inFileOrder(reader.findings) }
    : { kind: "document", document };
}

function readPolicy(root: SourceNode, reader: ShapeReader): PolicyDocument {
  const file = reader.map(root, "the file", ["pipeline", "organization"]);
  const pipeline = reader.map(file.get("pipeline"), "pipeline", ["defaults", "profiles"]);
  const defaults = reader.map(pipeline.get("defaults"), "pipeline.defaults", ["permissions"]);
  const organization = reader.map(file.get("organization"), "organization", ["profiles"]);
  const defaultPermissions = reader.texts(defaults.get("permissions"), "permissions");
  const profiles = (node: SourceNode | undefined, what: string, keys: readonly string[]): readonly ProfileEntry[] =>
    reader.list(node, what)?.value.map((entry) => readProfile(entry, keys, reader)) ?? [];
  return {
    ...(defaultPermissions === undefined ? {} : { defaultPermissions }),
    pipelineProfiles: profiles(pipeline.get("profiles"), "pipeline.profiles", PIPELINE_PROFILE_KEYS),
    organizationProfiles: profiles(organization.get("profiles"), "organization.profiles", ORGANIZATION_PROFILE_KEYS),
  };
}

const PIPELINE_PROFILE_KEYS = ["name", "match", "permissions", "app"];
const ORGANIZATION_PROFILE_KEYS = ["name", "match", "repositories", "permissions", "app"];

function readProfile(node: SourceNode, keys: readonly string[], reader: ShapeReader): ProfileEntry {
  const fields = reader.item(node, "a profile", keys);
  const match = reader.list(fields.get("match"), "match");
  return {
    at: node.at,
    ...present("name", reader.text(fields.get("name"), "name")),
    ...present("app", reader.text(fields.get("app"), "app")),
    ...present("permissions", reader.texts(fields.get("permissions"), "permissions")),
    ...present("repositories", reader.texts(fields.get("repositories"), "repositories")),
    ...present("match", match && { at: match.at, value: match.value.map((rule) => readMatchRule(rule, reader)) }),
  };
}

function readMatchRule(node: SourceNode, reader: ShapeReader): MatchEntry {
  const fields = reader.item(node, "a match rule", ["claim", "value", "valuePattern"]);
  return {
    at: node.at,
    ...present("claim", reader.text(fields.get("claim"), "claim")),
    ...present("value", reader.text(fields.get("value"), "value")),
    ...present("valuePattern", reader.text(fields.get("valuePattern"), "valuePattern")),
  };
}

/** An object with the field, or without it when there is no value. */
function present<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  const field: { [K in Key]?: Value } = {};
  if (value !== undefined) field[key] = value;
  return field;
}
