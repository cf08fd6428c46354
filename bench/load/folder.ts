import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for lists of requests, gone when disposed of. */
export function workFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "bench-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
