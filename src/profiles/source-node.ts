import { isAlias, isMap, isScalar, isSeq, type Pair } from "yaml";
import { createAnchors } from "./anchors.ts";
import { type Position, quoted, type ReportFileFault } from "./finding.ts";

/** A value of the file and where it stands. Aliases are resolved: an aliased value is the same object in every place. */
export type SourceNode =
  | { readonly kind: "map"; readonly at: Position; readonly entries: ReadonlyMap<string, SourceEntry> }
  | { readonly kind: "list"; readonly at: Position; readonly items: readonly SourceNode[] }
  | { readonly kind: "text"; readonly at: Position; readonly value: string }
  | { readonly kind: "number"; readonly at: Position; readonly value: number }
  | { readonly kind: "boolean" | "null"; readonly at: Position };

export interface SourceEntry {
  readonly keyAt: Position;
  readonly value: SourceNode;
}

const CORE_TAGS = new Set(
  ["map", "seq", "str", "null", "bool", "int", "float"].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Makes a function that turns the library's nodes into ours, in document order: an alias means the last anchor of its name
 * before it. Duplicate keys, foreign tags, and aliases without an anchor, inside their own anchor or beyond the bound are reported;
 * what is then returned must not be used.
 */
export function createNodeReader(
  at: (offset: number) => Position,
  report: ReportFileFault,
): (node: unknown) => SourceNode {
  const anchors = createAnchors<SourceNode>(report);

  const read = (node: unknown): SourceNode => {
    if (isAlias(node)) {
      const offset = node.range?.[0] ?? 0;
      return anchors.resolve(node.source, offset) ?? { kind: "null", at: at(offset) };
    }
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return { kind: "null", at: at(0) };
    const { anchor, tag } = node;
    const offset = node.range?.[0] ?? 0;
    if (tag !== undefined && !CORE_TAGS.has(tag)) report("yaml-tag", offset, `the tag ${quoted(tag)} is not accepted`);
    if (anchor !== undefined) anchors.open(anchor);
    const value = isScalar(node)
      ? readScalar(node.value, at(offset))
      : isMap(node)
        ? readMap(node.items, offset)
        : readList(node.items, offset);
    if (anchor !== undefined) anchors.close(anchor, value);
    return value;
  };

  const readMap = (pairs: readonly Pair[], offset: number): SourceNode => {
    const entries = new Map<string, SourceEntry>();
    for (const { key, value } of pairs) {
      const keyOffset = isScalar(key) ? (key.range?.[0] ?? offset) : offset;
      const keyAt = at(keyOffset);
      const entry = { keyAt, value: value === null ? { kind: "null" as const, at: keyAt } : read(value) };
      if (!isScalar(key) || typeof key.value !== "string") {
        report("wrong-type", keyOffset, "a key must be text");
        continue;
      }
      if (entries.has(key.value)) report("duplicate-key", keyOffset, `the key ${quoted(key.value)} stands here twice`);
      entries.set(key.value, entry);
    }
    const values = Array.from(entries.values(), (entry) => entry.value);
    return anchors.sized({ kind: "map", at: at(offset), entries }, values);
  };

  const readList = (nodes: readonly unknown[], offset: number): SourceNode => {
    const items = nodes.map(read);
    return anchors.sized({ kind: "list", at: at(offset), items }, items);
  };

  return read;
}

function readScalar(value: unknown, at: Position): SourceNode {
  if (typeof value === "string") return { kind: "text", at, value };
  if (value === null || value === undefined) return { kind: "null", at };
  return typeof value === "number" ? { kind: "number", at, value } : { kind: "boolean", at };
}
