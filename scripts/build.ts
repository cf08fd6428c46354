/**
 * Builds dist/chinmina-bridge, one binary for this machine with the runtime in it (scripts/release/compile.ts tells how).
 * BUILD_COMMIT names the commit where there is no git.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { compile, findCommit, ROOT } from "./release/compile.ts";

const OUTFILE = "dist/chinmina-bridge";

const startedMs = performance.now();
try {
  compile({ outfile: OUTFILE, commit: findCommit() });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const megabytes = (statSync(join(ROOT, OUTFILE)).size / 1e6).toFixed(1);
console.log(`${OUTFILE}: ${megabytes} MB in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
