import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import manifest from "../../../package.json";
import { INSTALL_TIMEOUT_MS, installPythonTools } from "../../support/python-tools.ts";

const PROJECT = join(import.meta.dir, "../../..");
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const CYCLONEDX = ["cyclonedx-python-lib[json-validation]==11.12.0"] as const;

let root: string;
/** Two copies of the tree at paths of different lengths, each with dependencies and a release of its own. */
let releases: readonly [string, string];

beforeAll(async () => {
  await run(["sh", "scripts/install-image-tools.sh"]);
  root = mkdtempSync(join(tmpdir(), "release-"));
  releases = [await release(join(root, "a")), await release(join(root, "another/and/longer"))];
}, INSTALL_TIMEOUT_MS);
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function release(tree: string): Promise<string> {
  const listed = await run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
  for (const path of listed.out.split("\0").filter((name) => name !== "" && existsSync(join(PROJECT, name)))) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(PROJECT, path), join(tree, path));
  }
  await run([process.execPath, "install", "--frozen-lockfile", "--production"], { cwd: tree });
  await run([process.execPath, "scripts/release.ts"], { cwd: tree, environment: { BUILD_COMMIT: COMMIT } });
  return join(tree, "dist/release");
}

interface Result {
  readonly out: string;
  readonly err: string;
  readonly code: number;
  readonly signal: string | number | null;
}

/** Throws unless the program ends with 0, or `mayFail`. */
async function run(
  command: readonly string[],
  settings: { cwd?: string; environment?: Record<string, string>; mayFail?: boolean } = {},
): Promise<Result> {
  const child = Bun.spawn([...command], {
    cwd: settings.cwd ?? PROJECT,
    env: { ...process.env, ...settings.environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0 && settings.mayFail !== true) throw new Error(`${command.join(" ")}: status ${code}\n${err}`);
  return { out, err, code, signal: child.signalCode };
}

const VERSION = `chinmina-bridge ${manifest.version}\ncommit ${COMMIT}\nruntime bun ${manifest.engines.bun}\n`;
const ARM_ROOT = "/usr/aarch64-linux-gnu";

describe("a release", () => {
  test("has the same bytes twice, from two copies of the tree at different paths", async () => {
    const names = readdirSync(releases[0]).sort();
    expect(names).toEqual([
      "SHA256SUMS",
      "chinmina-bridge-linux-arm64",
      "chinmina-bridge-linux-x64",
      "sbom.cdx.json",
      "third-party-licenses.txt",
    ]);
    expect((await run(["diff", "--recursive", "--brief", ...releases], { mayFail: true })).out).toBe("");
    console.log(`two builds at two paths: ${names.length} of ${names.length} files identical`);
  });

  test("has checksums that sha256sum accepts, over every other file", async () => {
    const { out } = await run(["sha256sum", "--check", "--strict", "SHA256SUMS"], { cwd: releases[0] });
    expect(out.trim().split("\n").length).toBe(readdirSync(releases[0]).length - 1);
  });

  test("runs on x64 CPUs from 2008 on, those without AVX too (qemu: Nehalem)", async () => {
    const command = [
      "qemu-x86_64-static",
      "-cpu",
      "Nehalem",
      join(releases[0], "chinmina-bridge-linux-x64"),
      "version",
    ];
    expect((await run(command)).out).toBe(VERSION);
  });

  test("ends on an x64 CPU without SSE4.2 before our code runs, by SIGILL: what docs/container.md shows", async () => {
    const command = ["qemu-x86_64-static", "-cpu", "Conroe", join(releases[0], "chinmina-bridge-linux-x64"), "version"];
    const { out, err, code, signal } = await run(command, { mayFail: true });
    expect({ out, code, signal }).toEqual({ out: "", code: 132, signal: "SIGILL" });
    expect(err).toContain("Illegal instruction");
  });

  test("runs on arm64 (qemu)", async () => {
    const command = [
      "qemu-aarch64-static",
      "-L",
      ARM_ROOT,
      join(releases[0], "chinmina-bridge-linux-arm64"),
      "version",
    ];
    expect((await run(command)).out).toBe(VERSION);
  });

  test("needs glibc alone, 2.17 (2012) or later", async () => {
    for (const architecture of ["x64", "arm64"]) {
      const binary = join(releases[0], `chinmina-bridge-linux-${architecture}`);
      const { out } = await run(["readelf", "--dynamic", "--version-info", "--wide", binary]);
      const libraries = [...out.matchAll(/Shared library: \[([^\]]+)\]/g)].map(([, library]) => library ?? "");
      expect(libraries).toContain("libc.so.6");
      for (const library of libraries)
        expect(library).toMatch(/^(?:libc|libm|libdl|libpthread|ld-linux-[\w-]+)\.so\.\d$/);
      const needed = [...out.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
      expect({ architecture, newest: Math.max(...needed) }).toEqual({ architecture, newest: 17 });
    }
  });
});

describe("the SBOM of a release", () => {
  const sbom = () => JSON.parse(readFileSync(join(releases[0], "sbom.cdx.json"), "utf8"));

  test(
    "is valid CycloneDX 1.6 to its own project's validator",
    async () => {
      const programs = await installPythonTools("cyclonedx", CYCLONEDX, "the validation of the SBOM");
      const script = [
        "import sys",
        "from cyclonedx.validation.json import JsonStrictValidator",
        "from cyclonedx.schema import SchemaVersion",
        "error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())",
        "print('valid' if error is None else error)",
      ].join("\n");
      const { out } = await run([join(programs, "python"), "-c", script, join(releases[0], "sbom.cdx.json")]);
      expect(out.trim()).toBe("valid");
    },
    INSTALL_TIMEOUT_MS,
  );

  // The SBOM is made from the bundler's list of inputs; its source maps are another witness of what is in the binary.
  test("marks as required just the packages of which the bundle's source maps name modules", async () => {
    const folder = join(root, "maps");
    const entry = join(PROJECT, "src/main.ts");
    await run([
      process.execPath,
      "build",
      "--target=bun",
      "--production",
      "--splitting",
      "--sourcemap=external",
      `--outdir=${folder}`,
      entry,
    ]);
    const sources = new Set(
      readdirSync(folder)
        .filter((name) => name.endsWith(".map"))
        .flatMap((name): string[] => JSON.parse(readFileSync(join(folder, name), "utf8")).sources),
    );
    const bundled = new Set(
      [...sources].flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
    );
    const components: readonly any[] = sbom().components;
    const required = components
      .filter(({ type, scope }) => type === "library" && scope === "required")
      .map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
    const excluded = components.filter(({ scope }) => scope === "excluded").length;
    console.log(
      `SBOM: ${components.length} components; ${required.length} packages in the bundle, ${bundled.size} by its source maps; ${excluded} left out`,
    );
    expect(bundled).toEqual(new Set(required));
  });

  test("names a licence and a digest for every package", () => {
    for (const { type, purl, licenses, hashes } of sbom().components) {
      expect({ purl, licences: licenses?.length }).toEqual({ purl, licences: 1 });
      if (type === "library") expect(hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
    }
  });

  test("agrees with the list of licences", () => {
    const list = readFileSync(join(releases[0], "third-party-licenses.txt"), "utf8");
    for (const { scope, group, name, version } of sbom().components)
      if (scope === "required")
        expect(list).toContain(`\n${group === undefined ? name : `${group}/${name}`} ${version}: `);
  });
});

test("a release from a changed tree is refused, unless BUILD_COMMIT vouches for it", async () => {
  const tree = join(root, "a");
  await run(["git", "init", "--quiet"], { cwd: tree });
  const { code, err } = await run([process.execPath, "scripts/release.ts"], {
    cwd: tree,
    mayFail: true,
    environment: { BUILD_COMMIT: "" },
  });
  expect(code).toBe(1);
  expect(err).toStartWith("a release is built from a commit: commit or remove ");
});
