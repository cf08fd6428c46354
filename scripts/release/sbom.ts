import manifest from "../../package.json";
import { readInstalled, type Bundle } from "./bundle.ts";
import type { Lock, LockedPackage } from "./lock.ts";

const SELF = `${manifest.name}@${manifest.version}`;
const RUNTIME = `pkg:npm/bun@${manifest.engines.bun}`;

/**
 * A CycloneDX 1.6 document: the packages that the lock file gives the program, and the runtime. `scope` tells whether a package's
 * code is in the binary (`required`) or was left out by the bundler (`excluded`). No date and no serial number: the same commit
 * gives the same bytes. Throws when the bundle holds a package that the lock file does not know: then the document would lie.
 */
export function createSbom(lock: Lock, bundle: Bundle, commit: string): object {
  const unknown = [...bundle.packages.keys()].filter((id) => !lock.production.has(id));
  if (unknown.length > 0) throw new Error(`in the bundle and not among the locked dependencies: ${unknown.join(", ")}`);
  const packages = [...lock.production].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": SELF,
        name: manifest.name,
        version: manifest.version,
        description: manifest.description,
        licenses: [{ license: { id: manifest.license } }],
      },
      properties: [{ name: "chinmina-bridge:commit", value: commit }],
    },
    components: [
      ...packages.map(([id, locked]) => component(locked, bundle.packages.has(id), licenseOf(id, locked, bundle))),
      {
        type: "platform",
        "bom-ref": RUNTIME,
        name: "bun",
        version: manifest.engines.bun,
        scope: "required",
        description: "The runtime that is part of the binary; it contains JavaScriptCore and other libraries",
        licenses: [{ license: { id: "MIT" } }],
        purl: RUNTIME,
      },
    ],
    dependencies: [
      { ref: SELF, dependsOn: [...lock.direct.map((id) => purl(split(id))), RUNTIME].sort() },
      ...packages.map(([, locked]) => ({
        ref: purl(locked),
        dependsOn: locked.dependsOn.map((id) => purl(split(id))),
      })),
      { ref: RUNTIME, dependsOn: [] },
    ],
  };
}

function component(locked: LockedPackage, bundled: boolean, license: string): object {
  const [group, name] = locked.name.startsWith("@") ? locked.name.split("/") : [undefined, locked.name];
  return {
    type: "library",
    "bom-ref": purl(locked),
    ...(group === undefined ? {} : { group }),
    name,
    version: locked.version,
    scope: bundled ? "required" : "excluded",
    hashes: [
      { alg: "SHA-512", content: Buffer.from(locked.integrity.replace("sha512-", ""), "base64").toString("hex") },
    ],
    ...licences(license),
    purl: purl(locked),
  };
}

/** An identifier, an expression, or nothing where the package says nothing. */
function licences(license: string): object {
  if (license === "NOASSERTION") return {};
  return { licenses: [/ (?:OR|AND|WITH) /.test(license) ? { expression: license } : { license: { id: license } }] };
}

/** From the folder that the bundler read; of what it left out, from where it lies at the top. */
function licenseOf(id: string, { name, version }: LockedPackage, bundle: Bundle): string {
  const bundled = bundle.packages.get(id);
  if (bundled !== undefined) return bundled.license;
  const installed = readInstalled(`node_modules/${name}`);
  return installed?.version === version ? installed.license : "NOASSERTION";
}

function split(id: string): { readonly name: string; readonly version: string } {
  const at = id.lastIndexOf("@");
  return { name: id.slice(0, at), version: id.slice(at + 1) };
}

/** Package URL: the `@` of a scope is percent-encoded. */
function purl({ name, version }: { readonly name: string; readonly version: string }): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}
