import * as v from "valibot";
import { readTemplate, STACKS, type StackName, type Template } from "./cloudformation.ts";

type Resource = Template["Resources"][string];

export interface ShippedResource {
  readonly stack: StackName;
  readonly name: string;
  readonly resource: Resource;
}

/** Every resource of every template, or those of one type. */
export function shippedResources(type?: string): ShippedResource[] {
  return STACKS.flatMap((stack) =>
    Object.entries(readTemplate(stack).Resources)
      .filter(([, resource]) => type === undefined || resource.Type === type)
      .map(([name, resource]) => ({ stack, name, resource })),
  );
}

/** An intrinsic `Fn::If` stands for both of its branches; `AWS::NoValue` for nothing. */
export function branches(value: unknown): unknown[] {
  const conditional = v.safeParse(v.object({ "Fn::If": v.tuple([v.string(), v.unknown(), v.unknown()]) }), value);
  if (conditional.success) return conditional.output["Fn::If"].slice(1).flatMap(branches);
  return v.is(v.object({ Ref: v.literal("AWS::NoValue") }), value) ? [] : [value];
}

const Statement = v.object({
  Sid: v.string(),
  Effect: v.picklist(["Allow", "Deny"]),
  Principal: v.optional(v.unknown()),
  Action: v.union([v.string(), v.array(v.string())]),
  Resource: v.optional(v.unknown()),
  Condition: v.optional(v.unknown()),
});

export type Statement = v.InferOutput<typeof Statement>;
export interface ShippedStatement extends Statement {
  /** `foundation/TaskPolicy`. */
  readonly owner: string;
  readonly actions: readonly string[];
}

const Document = v.object({ Version: v.literal("2012-10-17"), Statement: v.array(v.unknown()) });

/** Every statement of every policy document, wherever it stands. Throws on one without a Sid, and on members it does not know. */
export function shippedStatements(): ShippedStatement[] {
  return shippedResources().flatMap(({ stack, name, resource }) =>
    documentsIn(resource.Properties).flatMap(({ Statement: statements }) =>
      statements.flatMap(branches).map((statement) => {
        const parsed = v.parse(v.strictObject(Statement.entries), statement);
        return Object.assign(parsed, { owner: `${stack}/${name}`, actions: [parsed.Action].flat() });
      }),
    ),
  );
}

function documentsIn(value: unknown): v.InferOutput<typeof Document>[] {
  if (Array.isArray(value)) return value.flatMap(documentsIn);
  if (typeof value !== "object" || value === null) return [];
  if ("Statement" in value) return [v.parse(Document, value)];
  return Object.values(value).flatMap(documentsIn);
}
