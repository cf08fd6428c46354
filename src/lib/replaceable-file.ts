import { lstat, realpath } from "node:fs/promises";

/**
 * Where a file has to be put so that `path` leads to it: `path` itself where there is nothing yet, the end of a link that leads to a
 * file. Whoever renames over it replaces a regular file or nothing.
 *
 * Rejects with a `code` for what no file may take the place of: a device (root would lose `/dev/null`), a pipe, a folder, a link to
 * nothing.
 */
export async function locateReplaceableFile(path: string): Promise<string> {
  const target = await realpath(path).catch(() => path);
  const found = await lstat(target).catch(() => undefined);
  if (found === undefined || found.isFile()) return target;
  const code = found.isDirectory() ? "EISDIR" : "no regular file";
  throw Object.assign(new Error(`${path} is no regular file`), { code });
}
