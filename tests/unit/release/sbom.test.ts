import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../../package.json";
import type { Bundle } from "../../../scripts/release/bundle.ts";
import { readLock, type Lock } from "../../../scripts/release/lock.ts";
import { createSbom } from "../../../scripts/release/sbom.ts";

const DIGEST = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;

function lockOf(packages: Record<string, object>, dependencies: Record<string, string>): Lock {
  const folder = mkdtempSync(join(tmpdir(), "lock-"));
  const entries = Object.entries(packages).map(([key, info]) => {
    const { id = `${key}@1.0.0`, ...rest } = info as { id?: string };
    return [key, [id, "", rest, DIGEST]];
  });
  const lock = { lockfileVersion: 1, workspaces: { "": { dependencies } }, packages: Object.fromEntries(entries) };
  writeFileSync(join(folder, "bun.lock"), JSON.stringify(lock));
  try {
    return readLock(join(folder, "bun.lock"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("readLock()", () => {
  test("follows dependencies as modules are found, through cycles, and leaves out what only tools need", () => {
    const lock = lockOf(
      {
        a: { dependencies: { b: "^2" }, peerDependencies: { peer: "*", absent: "*" }, optionalPeers: ["absent"] },
        "a/b": { id: "b@2.0.0", dependencies: { a: "*", "@s/c": "*" } },
        b: { id: "b@1.0.0" },
        "@s/c": { dependencies: { b: "^1" } },
        peer: {},
        tool: {},
      },
      { a: "1.0.0" },
    );
    expect([...lock.production.keys()].sort()).toEqual(["@s/c@1.0.0", "a@1.0.0", "b@1.0.0", "b@2.0.0", "peer@1.0.0"]);
    expect(lock.production.get("a@1.0.0")?.dependsOn).toEqual(["b@2.0.0", "peer@1.0.0"]);
    expect(lock.production.get("@s/c@1.0.0")?.dependsOn).toEqual(["b@1.0.0"]);
    expect(lock.direct).toEqual(["a@1.0.0"]);
    expect(lock.integrityOf("tool@1.0.0")).toBe(DIGEST);
    expect(() => lock.integrityOf("tool@1.0.1")).toThrow("bun.lock has no tool@1.0.1");
  });

  test("reads the project's own: its dependencies and nothing of its tools", () => {
    const lock = readLock();
    expect(lock.direct).toEqual(
      Object.entries(manifest.dependencies)
        .map(([name, version]) => `${name}@${version}`)
        .sort(),
    );
    const names = [...lock.production.values()].map(({ name }) => name);
    for (const tool of Object.keys(manifest.devDependencies)) expect(names).not.toContain(tool);
  });
});

describe("createSbom()", () => {
  const lock = lockOf({ "@s/in": { dependencies: { out: "*" } }, out: {} }, { "@s/in": "1.0.0" });
  const bundleOf = (...ids: string[]): Bundle => ({
    modules: ids.length,
    packages: new Map(
      ids.map((id) => [id, { name: id, version: "1.0.0", license: "MIT OR Apache-2.0", folder: "nowhere" }]),
    ),
  });

  test("names what is in the binary, what was left out of it, and the runtime", () => {
    const sbom = createSbom(lock, bundleOf("@s/in@1.0.0"), "c0ffee");
    expect(sbom).toMatchObject({
      bomFormat: "CycloneDX",
      components: [
        {
          group: "@s",
          name: "in",
          scope: "required",
          purl: "pkg:npm/%40s/in@1.0.0",
          hashes: [{ alg: "SHA-512", content: "07".repeat(64) }],
          licenses: [{ expression: "MIT OR Apache-2.0" }],
        },
        { name: "out", scope: "excluded", purl: "pkg:npm/out@1.0.0" },
        { type: "platform", name: "bun", version: manifest.engines.bun },
      ],
      dependencies: [
        { ref: `chinmina-bridge@${manifest.version}` },
        { ref: "pkg:npm/%40s/in@1.0.0", dependsOn: ["pkg:npm/out@1.0.0"] },
        { ref: "pkg:npm/out@1.0.0", dependsOn: [] },
        { dependsOn: [] },
      ],
    });
  });

  // An SBOM that leaves out what is in the binary is worse than none.
  test("refuses a bundle with a package that the lock file does not give the program", () => {
    expect(() => createSbom(lock, bundleOf("@s/in@1.0.0", "smuggled@1.0.0"), "c0ffee")).toThrow("smuggled@1.0.0");
  });
});
