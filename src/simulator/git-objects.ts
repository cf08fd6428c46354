import { createHash } from "node:crypto";
import type { Tree, TreeEntry } from "./world.ts";

/** The bytes of an entry's blob: a file's content, or where a link points. A submodule has none. */
export function blobOf(entry: Exclude<TreeEntry, { kind: "submodule" }>): Buffer {
  return Buffer.from(entry.kind === "symlink" ? entry.target : entry.content);
}

/** The name git gives to these bytes in a repository of SHA-1 (the one `git hash-object` prints). */
export function objectSha(type: "blob" | "tree", content: Uint8Array): string {
  return createHash("sha1").update(`${type} ${content.byteLength}\0`).update(content).digest("hex");
}

export type Child =
  { readonly name: string; readonly entry: TreeEntry } | { readonly name: string; readonly directory: string };

/** What lies directly in a directory (empty: the root), by name; undefined when nothing lies there. */
export function childrenOf(tree: Tree, directory: string): readonly Child[] | undefined {
  const prefix = directory === "" ? "" : `${directory}/`;
  const children = new Map<string, Child>();
  for (const [path, entry] of tree) {
    if (!path.startsWith(prefix)) continue;
    const [name = "", ...below] = path.slice(prefix.length).split("/");
    children.set(name, below.length === 0 ? { name, entry } : { name, directory: `${prefix}${name}` });
  }
  if (children.size === 0) return undefined;
  return [...children.values()].sort((left, right) => Buffer.compare(sortKey(left), sortKey(right)));
}

export function shaOf(tree: Tree, child: Child): string {
  if ("directory" in child) return treeSha(tree, child.directory);
  const { entry } = child;
  return entry.kind === "submodule" ? entry.commit : objectSha("blob", blobOf(entry));
}

function treeSha(tree: Tree, directory: string): string {
  const lines = (childrenOf(tree, directory) ?? []).flatMap((child) => [
    Buffer.from(`${modeOf(child)} ${child.name}\0`),
    Buffer.from(shaOf(tree, child), "hex"),
  ]);
  return objectSha("tree", Buffer.concat(lines));
}

function modeOf(child: Child): string {
  if ("directory" in child) return "40000";
  return { file: "100644", symlink: "120000", submodule: "160000" }[child.entry.kind];
}

/** Git sorts a directory as if its name ended in a slash. */
function sortKey(child: Child): Buffer {
  return Buffer.from("directory" in child ? `${child.name}/` : child.name);
}
