/**
 * Builds what a release consists of into dist/release: a binary for each architecture, an SBOM, the licences, and SHA256SUMS over them.
 *
 *   bun scripts/release.ts [--arch x64|arm64]...        (amd64 means x64; without --arch: both)
 *
 * The same commit gives the same bytes, at whatever path. It wants a tree without changes, so that the commit it names is what was built;
 * BUILD_COMMIT set means that whoever sets it vouches for that.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../package.json";
import { readBundle } from "./release/bundle.ts";
import { compile, findCommit, ROOT } from "./release/compile.ts";
import { listLicences } from "./release/licences.ts";
import { readLock } from "./release/lock.ts";
import { fetchRuntime, TARGETS, type Architecture } from "./release/runtime.ts";
import { createSbom } from "./release/sbom.ts";

const RELEASE = "dist/release";

try {
  release(readArchitectures());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

function readArchitectures(): readonly Architecture[] {
  const { values } = parseArgs({ options: { arch: { type: "string", multiple: true, default: ["x64", "arm64"] } } });
  return values.arch.map((given) => {
    const name = given === "amd64" ? "x64" : given;
    if (name !== "x64" && name !== "arm64") throw new Error(`--arch ${given}: x64 and arm64 are built`);
    return name;
  });
}

function release(architectures: readonly Architecture[]): void {
  if (Bun.version !== manifest.engines.bun)
    throw new Error(`releases are built by Bun ${manifest.engines.bun}, this is ${Bun.version}`);
  refuseChanges();
  const commit = findCommit();
  const folder = join(ROOT, RELEASE);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "work"), { recursive: true });
  const metafile = join(folder, "work/metafile.json");
  for (const architecture of architectures) {
    const outfile = `${RELEASE}/work/chinmina-bridge`;
    const runtime = fetchRuntime(architecture);
    compile({ outfile, commit, metafile, other: { target: TARGETS[architecture].target, runtime } });
    const name = `chinmina-bridge-linux-${architecture}`;
    renameSync(join(ROOT, outfile), join(folder, name));
    chmodSync(join(folder, name), 0o755);
    console.log(`${RELEASE}/${name}: ${(statSync(join(folder, name)).size / 1e6).toFixed(1)} MB`);
  }
  const lock = readLock();
  const bundle = readBundle(metafile);
  rmSync(join(folder, "work"), { recursive: true });
  writeFileSync(join(folder, "sbom.cdx.json"), `${JSON.stringify(createSbom(lock, bundle, commit), undefined, 2)}\n`);
  writeFileSync(join(folder, "third-party-licenses.txt"), listLicences(bundle));
  writeFileSync(join(folder, "SHA256SUMS"), checksums(folder));
  console.log(
    `${RELEASE}/sbom.cdx.json: ${lock.production.size} locked packages, ${bundle.packages.size} of them in the bundle ` +
      `(${bundle.modules} modules), 0 in the bundle alone; and the runtime`,
  );
  process.stdout.write(readFileSync(join(folder, "SHA256SUMS"), "utf8"));
}

function refuseChanges(): void {
  if ((process.env["BUILD_COMMIT"] ?? "") !== "" || Bun.which("git") === null) return;
  const status = Bun.spawnSync(["git", "status", "--porcelain"], { cwd: ROOT, stderr: "ignore" });
  const [changed] = status.stdout.toString().split("\n");
  if (changed !== undefined && changed !== "")
    throw new Error(`a release is built from a commit: commit or remove${changed.slice(2)} first, or set BUILD_COMMIT`);
}

/** As sha256sum writes and checks them. */
function checksums(folder: string): string {
  return readdirSync(folder)
    .sort()
    .map(
      (name) => `${new Bun.CryptoHasher("sha256").update(readFileSync(join(folder, name))).digest("hex")}  ${name}\n`,
    )
    .join("");
}
