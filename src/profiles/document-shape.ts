import {
  type CaseFaultCode,
  type FileFaultCode,
  type Finding,
  type Located,
  MAX_FILE_FINDINGS,
  type Position,
  quoted,
} from "./finding.ts";
import type { SourceNode } from "./source-node.ts";

type Fields = ReadonlyMap<string, SourceNode>;

/**
 * Reads values that must have a certain shape, and keeps what is wrong as findings. Null counts as absent wherever a
 * whole value may be absent, and as a wrong type among the items of a list.
 */
export interface ShapeReader {
  readonly findings: readonly Finding[];
  /** Notes what is wrong beside shapes. */
  readonly report: (code: FileFaultCode | CaseFaultCode, at: Position, message: string) => void;
  /** The fields of a map, nulls left out; empty for an absent one. */
  readonly map: (node: SourceNode | undefined, what: string, keys: readonly string[]) => Fields;
  /** As `map`, for what must be there. Without `keys` it may have any. */
  readonly item: (node: SourceNode, what: string, keys?: readonly string[]) => Fields;
  readonly list: (node: SourceNode | undefined, what: string) => Located<readonly SourceNode[]> | undefined;
  readonly text: (node: SourceNode | undefined, what: string) => Located<string> | undefined;
  readonly texts: (node: SourceNode | undefined, what: string) => Located<readonly Located<string>[]> | undefined;
}

const NO_FIELDS: Fields = new Map();

export function createShapeReader(): ShapeReader {
  const findings: Finding[] = [];
  const report: ShapeReader["report"] = (code, at, message) => {
    if (findings.length < MAX_FILE_FINDINGS) findings.push({ severity: "error", code, message, ...at });
  };
  const wrongType = (node: SourceNode, what: string, wanted: string): void => {
    const hint = wanted === "text" && (node.kind === "number" || node.kind === "boolean") ? ": put it in quotes" : "";
    report("wrong-type", node.at, `${what} must be ${wanted}, not ${NAMES[node.kind]}${hint}`);
  };

  const item: ShapeReader["item"] = (node, what, keys) => {
    if (node.kind !== "map") {
      wrongType(node, what, "a map");
      return NO_FIELDS;
    }
    for (const [key, { keyAt }] of node.entries) {
      if (keys?.includes(key) === false) {
        report("unknown-key", keyAt, `${what} has no key ${quoted(key)}; it may have ${keys.join(", ")}`);
      }
    }
    const fields = Array.from(node.entries, ([key, { value }]) => [key, value] as const);
    return new Map(fields.filter(([, value]) => value.kind !== "null"));
  };

  const list: ShapeReader["list"] = (node, what) => {
    if (node === undefined) return undefined;
    if (node.kind === "list") return { at: node.at, value: node.items };
    wrongType(node, what, "a list");
    return undefined;
  };

  const text: ShapeReader["text"] = (node, what) => {
    if (node === undefined) return undefined;
    if (node.kind === "text") return { at: node.at, value: node.value };
    wrongType(node, what, "text");
    return undefined;
  };

  return {
    findings,
    report,
    item,
    list,
    text,
    map: (node, what, keys) => (node === undefined || node.kind === "null" ? NO_FIELDS : item(node, what, keys)),
    texts: (node, what) => {
      const items = list(node, what);
      return items && { at: items.at, value: items.value.flatMap((one) => text(one, `an entry of ${what}`) ?? []) };
    },
  };
}

const NAMES: Readonly<Record<SourceNode["kind"], string>> = {
  map: "a map",
  list: "a list",
  text: "text",
  number: "a number",
  boolean: "true or false",
  null: "nothing",
};
