/**
 * Builds the library `iamcacheauth` as a package of its own: `bun scripts/build-iamcacheauth.ts [FOLDER]`,
 * dist/iamcacheauth by default. JavaScript and types are emitted file by file, nothing is bundled; `npm pack` or
 * `npm publish` in that folder does the rest.
 */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..");
const SOURCE = join(ROOT, "src/iamcacheauth");

await build(resolve(process.argv[2] ?? join(ROOT, "dist/iamcacheauth")));

async function build(target: string): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const compiler = Bun.spawn([join(ROOT, "node_modules/.bin/tsc"), "--project", SOURCE, "--outDir", target], {
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await compiler.exited) !== 0) throw new Error("iamcacheauth: the compiler refused the sources");
  for (const name of ["package.json", "README.md", "LICENSE"]) cpSync(join(SOURCE, name), join(target, name));
  console.log(`Built ${target}`);
}
