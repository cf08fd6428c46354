import { quoted, type ReportFileFault } from "./finding.ts";

/** How many values aliases may add in all. No shared list of a real file comes near; a bomb passes it at once. */
export const MAX_ALIASED_VALUES = 10_000;

/** The anchors of one document, met in document order. */
export interface Anchors<Node extends object> {
  /** An anchor whose value is being read: an alias to it would contain itself. */
  readonly open: (name: string) => void;
  readonly close: (name: string, node: Node) => void;
  /** The value behind an alias, shared, not copied; undefined after reporting why there is none. */
  readonly resolve: (name: string, offset: number) => Node | undefined;
  /** Notes how many values a collection stands for, those behind its aliases included, and gives it back. */
  readonly sized: (node: Node, children: readonly Node[]) => Node;
}

/**
 * A bomb ("billion laughs") costs nothing here, because values are shared, but whoever walks them would pay: so what
 * aliases stand for is counted, and reported once when it passes the bound.
 */
export function createAnchors<Node extends object>(report: ReportFileFault): Anchors<Node> {
  const values = new Map<string, Node | "open">();
  const sizes = new WeakMap<Node, number>();
  const sizeOf = (node: Node): number => sizes.get(node) ?? 1;
  let aliasedValues = 0;

  return {
    open: (name) => values.set(name, "open"),
    close: (name, node) => values.set(name, node),
    resolve: (name, offset) => {
      const target = values.get(name);
      if (target === undefined) report("yaml-syntax", offset, `the alias ${quoted(name)} has no anchor before it`);
      if (target === "open") report("alias-expansion", offset, `the alias ${quoted(name)} contains itself`);
      if (target === undefined || target === "open") return undefined;
      const before = aliasedValues;
      aliasedValues += sizeOf(target);
      if (before <= MAX_ALIASED_VALUES && aliasedValues > MAX_ALIASED_VALUES) {
        report("alias-expansion", offset, `aliases stand for more than ${MAX_ALIASED_VALUES} values`);
      }
      return target;
    },
    sized: (node, children) => {
      sizes.set(
        node,
        children.reduce((size, child) => size + sizeOf(child), 1),
      );
      return node;
    },
  };
}
