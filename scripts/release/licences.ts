import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import type { Bundle, InstalledPackage } from "./bundle.ts";
import { ROOT } from "./compile.ts";

const RULE = "=".repeat(80);

/** The licences of everything in the binary: a table, then the texts and notices that the packages carry. */
export function listLicences(bundle: Bundle): string {
  const packages = [...bundle.packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `${manifest.name} ${manifest.version} is ${manifest.license}; src/iamcacheauth in it is MIT. Its binary contains:`,
    "",
    `bun ${manifest.engines.bun}: MIT. It links JavaScriptCore (LGPL-2.0) and more; Bun's licence page lists them and how to relink.`,
    ...packages.map(({ name, version, license }) => `${name} ${version}: ${license}`),
    ...packages.flatMap(texts),
    "",
  ].join("\n");
}

function texts({ name, version, folder }: InstalledPackage): readonly string[] {
  return readdirSync(join(ROOT, folder))
    .filter((file) => /^(?:licen[cs]e|notice|copying)(?:\.|$)/i.test(file))
    .sort()
    .flatMap((file) => [
      "",
      RULE,
      `${name} ${version}: ${file}`,
      RULE,
      "",
      readFileSync(join(ROOT, folder, file), "utf8").trim(),
    ]);
}
