import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

const ROOT = join(import.meta.dir, "..");
const SOURCE = join(ROOT, "src");

/** High to low. A folder imports only from rows below its own. Kept in step with docs/architecture.md. */
const RANKS: readonly (readonly string[])[] = [
  ["main.ts"],
  ["cli"],
  ["doctor"],
  ["app"],
  ["http"],
  ["vending"],
  ["aws"],
  ["profiles", "cache"],
  ["oidc", "github", "buildkite", "keyset", "valkey"],
  ["tink", "token", "permissions", "iamcacheauth", "audit", "telemetry", "config"],
  ["lib"],
];

/** A package (or a prefix of its name) and the only folders of src that may import it. */
const ONLY_IMPORTERS: Readonly<Record<string, readonly string[]>> = {
  elysia: ["http"],
  jose: ["oidc", "simulator"],
  yaml: ["profiles"],
  re2js: ["profiles"],
  // A validator of schemas for tests: ours are compared with it.
  ajv: [],
  "@aws-sdk/": ["aws"],
  "@noble/": ["tink"],
  "@smithy/signature-v4": ["iamcacheauth"],
  "@aws-crypto/": ["iamcacheauth"],
  "@opentelemetry/": ["telemetry"],
};

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly internal: readonly string[];
  readonly external: readonly string[];
}

const files = listFiles(SOURCE).map(readSource);

describe("the house", () => {
  test("every folder of src has a rank, or is the simulator", () => {
    const ranked = new Set([...RANKS.flat(), "simulator"]);
    expect(files.filter((file) => !ranked.has(file.folder)).map((file) => file.path)).toEqual([]);
  });

  test("imports only go down the ranks, never sideways between folders of one rank", () => {
    const broken = edges().filter(([from, to]) => {
      if (from.folder === to.folder || from.folder === "simulator") return false;
      return rankOf(to.folder) <= rankOf(from.folder);
    });
    expect(broken.map(([from, to]) => `${from.path} -> ${to.path}`)).toEqual([]);
  });

  test("no file imports itself through others", () => {
    expect(findCycle()).toBeUndefined();
  });

  test("each package has the importing folder that is agreed for it, and no other", () => {
    const broken = files.flatMap((file) =>
      file.external.filter((name) => {
        const rule = Object.entries(ONLY_IMPORTERS).find(([prefix]) => name === prefix || name.startsWith(prefix));
        return rule !== undefined && !rule[1].includes(file.folder);
      }),
    );
    expect(broken).toEqual([]);
  });

  test("only config reads the environment", () => {
    const reads = /\b(process\.env|Bun\.env|import\.meta\.env)\b/;
    expect(files.filter((file) => file.folder !== "config" && reads.test(file.text)).map((file) => file.path)).toEqual(
      [],
    );
  });

  test("only valkey uses Bun's Redis client", () => {
    const uses = /\bRedisClient\b|import\s*\{[^}]*\bredis\b[^}]*\}\s*from\s*"bun"/;
    expect(files.filter((file) => file.folder !== "valkey" && uses.test(file.text)).map((file) => file.path)).toEqual(
      [],
    );
  });

  test("nothing of the service imports the simulator, and the simulator uses lib and jose alone", () => {
    const broken = edges().filter(([from, to]) =>
      from.folder === "simulator" ? !["simulator", "lib"].includes(to.folder) : to.folder === "simulator",
    );
    expect(broken.map(([from, to]) => `${from.path} -> ${to.path}`)).toEqual([]);
  });

  test("no module-level mutable state: no top-level let or var outside tests", () => {
    const broken = files.filter((file) => /^(export )?(let|var) /m.test(file.text));
    expect(broken.map((file) => file.path)).toEqual([]);
  });

  test("one Bun version is named everywhere, and it is the one that runs this", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const version = manifest.devDependencies.bun;
    expect({ packageManager: manifest.packageManager, engines: manifest.engines.bun }).toEqual({
      packageManager: `bun@${version}`,
      engines: version,
    });
    expect(Bun.version).toBe(version);
  });
});

function rankOf(folder: string): number {
  return RANKS.findIndex((row) => row.includes(folder));
}

function edges(): (readonly [SourceFile, SourceFile])[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return files.flatMap((file) =>
    file.internal.flatMap((path) => {
      const target = byPath.get(path);
      if (target === undefined) throw new Error(`${file.path} imports ${path}, which is not there`);
      return [[file, target] as const];
    }),
  );
}

function findCycle(): string | undefined {
  const next = Map.groupBy(edges(), ([from]) => from.path);
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(" -> ");
    if (done.has(path)) return undefined;
    for (const [, to] of next.get(path) ?? []) {
      const cycle = visit(to.path, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const file of files) {
    const cycle = visit(file.path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function readSource(absolute: string): SourceFile {
  const path = relative(SOURCE, absolute);
  const text = readFileSync(absolute, "utf8");
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*"([^"]+)"/gm)].map((match) => match[1] ?? "");
  return {
    path,
    folder: path.split("/")[0] ?? path,
    text,
    internal: specifiers
      .filter((name) => name.startsWith(".") && name.endsWith(".ts"))
      .map((name) => normalize(join(dirname(path), name))),
    external: specifiers.filter((name) => !name.startsWith(".")),
  };
}

function listFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return listFiles(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}
