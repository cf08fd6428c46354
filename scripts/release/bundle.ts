import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { ROOT } from "./compile.ts";

const metafileSchema = v.object({ inputs: v.record(v.string(), v.unknown()) });
const manifestSchema = v.object({
  name: v.string(),
  version: v.string(),
  license: v.optional(v.string(), "NOASSERTION"),
});

/** An installed package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** As its manifest has it: an SPDX identifier or expression. */
  readonly license: string;
  /** Relative to the root of the project. */
  readonly folder: string;
}

export interface Bundle {
  /** How many files of ours and of packages went in. */
  readonly modules: number;
  /** The packages with at least one module in the bundle, by `name@version`. */
  readonly packages: ReadonlyMap<string, InstalledPackage>;
}

/** What the bundler says it read, with the versions that really lie there. Throws when a module's package cannot be told. */
export function readBundle(metafile: string): Bundle {
  const inputs = Object.keys(v.parse(metafileSchema, JSON.parse(readFileSync(metafile, "utf8"))).inputs);
  const folders = new Set(
    inputs.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? []),
  );
  const packages = new Map<string, InstalledPackage>();
  for (const folder of [...folders].sort()) {
    const found = readInstalled(folder);
    if (found === undefined) throw new Error(`${folder} is in the bundle and has no readable package.json`);
    packages.set(`${found.name}@${found.version}`, found);
  }
  return { modules: inputs.length, packages };
}

/** Undefined when no package with a name and a version lies there. */
export function readInstalled(folder: string): InstalledPackage | undefined {
  const path = join(ROOT, folder, "package.json");
  if (!existsSync(path)) return undefined;
  const manifest = v.safeParse(manifestSchema, JSON.parse(readFileSync(path, "utf8")));
  return manifest.success ? { ...manifest.output, folder } : undefined;
}
