import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { ROOT } from "./compile.ts";

const names = v.optional(v.record(v.string(), v.string()), {});
const lockSchema = v.object({
  workspaces: v.object({ "": v.object({ dependencies: names }) }),
  packages: v.record(
    v.string(),
    v.tuple([
      v.string(),
      v.string(),
      v.object({
        dependencies: names,
        optionalDependencies: names,
        peerDependencies: names,
        optionalPeers: v.optional(v.array(v.string()), []),
      }),
      v.string(),
    ]),
  ),
});

/** A package as the lock file has it. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of the package's archive: `sha512-` and base64. */
  readonly integrity: string;
  /** `name@version` of what it depends on and the lock file holds. */
  readonly dependsOn: readonly string[];
}

export interface Lock {
  /** Everything that the program's own dependencies reach, by `name@version`; what only tools and tests need is left out. */
  readonly production: ReadonlyMap<string, LockedPackage>;
  /** The `name@version` of the program's own dependencies. */
  readonly direct: readonly string[];
  /** The integrity of any package, tools included. Throws when the lock file does not hold it. */
  readonly integrityOf: (id: string) => string;
}

/** Reads bun.lock. Throws when it does not have the form that the pinned Bun writes. */
export function readLock(path = join(ROOT, "bun.lock")): Lock {
  const { workspaces, packages } = v.parse(lockSchema, Bun.JSONC.parse(readFileSync(path, "utf8")));
  const production = new Map<string, LockedPackage>();
  const visit = (key: string): string => {
    const [id, , info, integrity] = packages[key] ?? fail(`bun.lock has no ${key}`);
    if (production.has(id)) return id;
    const at = id.lastIndexOf("@");
    const dependsOn: string[] = [];
    production.set(id, { name: id.slice(0, at), version: id.slice(at + 1), integrity, dependsOn });
    const peers = Object.keys(info.peerDependencies).filter((peer) => !info.optionalPeers.includes(peer));
    for (const name of [...Object.keys({ ...info.dependencies, ...info.optionalDependencies }), ...peers]) {
      const found = nearest(packages, key, name);
      if (found !== undefined) dependsOn.push(visit(found));
    }
    dependsOn.sort();
    return id;
  };
  const direct = Object.keys(workspaces[""].dependencies).map(visit).sort();
  const integrities = new Map(Object.values(packages).map(([id, , , integrity]) => [id, integrity]));
  return { production, direct, integrityOf: (id) => integrities.get(id) ?? fail(`bun.lock has no ${id}`) };
}

/** As modules are found: beside the package that asks, else beside the one that holds it, and so on up. */
function nearest(packages: Readonly<Record<string, unknown>>, from: string, name: string): string | undefined {
  for (let holder = from; holder !== ""; holder = holder.slice(0, Math.max(0, holder.lastIndexOf("/"))))
    if (packages[`${holder}/${name}`] !== undefined) return `${holder}/${name}`;
  return packages[name] === undefined ? undefined : name;
}

function fail(message: string): never {
  throw new Error(message);
}
