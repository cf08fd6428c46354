import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { parseDocument, type CollectionTag, type ScalarTag } from "yaml";

const FOLDER = join(import.meta.dir, "../../deploy/aws");

const Template = v.object({
  Description: v.string(),
  Parameters: v.record(v.string(), v.looseObject({ Type: v.string(), Default: v.optional(v.unknown()) })),
  Resources: v.record(
    v.string(),
    v.looseObject({ Type: v.string(), Properties: v.optional(v.record(v.string(), v.unknown())) }),
  ),
  Outputs: v.record(
    v.string(),
    v.looseObject({ Value: v.unknown(), Export: v.optional(v.object({ Name: v.unknown() })) }),
  ),
});

export type Template = v.InferOutput<typeof Template>;

/** In the order in which they are created. */
export const STACKS = ["network", "foundation", "cache", "service"] as const;
export type StackName = (typeof STACKS)[number];

/** YAML's short forms (`!Ref X`), as the JSON that they stand for (`{ Ref: X }`). */
const NAMES = [
  "Ref",
  "Sub",
  "GetAtt",
  "If",
  "Equals",
  "Not",
  "And",
  "Or",
  "Join",
  "Split",
  "Select",
  "Cidr",
  "GetAZs",
  "ImportValue",
];
const longName = (name: string): string => (name === "Ref" ? name : `Fn::${name}`);

const scalarTags: ScalarTag[] = NAMES.map((name) => ({
  tag: `!${name}`,
  resolve: (text: string) => ({ [longName(name)]: text }),
}));
const sequenceTags: CollectionTag[] = NAMES.map((name) => ({
  tag: `!${name}`,
  collection: "seq",
  resolve: (node) => ({ [longName(name)]: node.toJSON() as unknown }),
}));

export function templateText(name: StackName): string {
  return readFileSync(join(FOLDER, `${name}.yaml`), "utf8");
}

/** Throws when it is no template or has a tag that is not known here. */
export function readTemplate(name: StackName): Template {
  const document = parseDocument(templateText(name), { customTags: [...scalarTags, ...sequenceTags] });
  const problem = [...document.errors, ...document.warnings][0];
  if (problem !== undefined) throw problem;
  return v.parse(Template, unfold(document.toJS()));
}

/** Nodes inside a tag's arguments come back as YAML nodes' JSON; nested tags among them as objects already. */
function unfold(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unfold);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unfold(inner)]));
}

/** Everything in the folder that is a template, whether or not it is known here. */
export function shippedTemplates(): string[] {
  return readdirSync(FOLDER).filter((file) => file.endsWith(".yaml"));
}
