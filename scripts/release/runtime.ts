import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { ROOT } from "./compile.ts";
import { readLock } from "./lock.ts";

/** Architectures that releases are built for. The x64 runtime runs on every CPU with SSE4.2 (2008 and later): its baseline build is the same file. */
export const TARGETS = {
  x64: { target: "bun-linux-x64", package: "@oven/bun-linux-x64" },
  arm64: { target: "bun-linux-arm64", package: "@oven/bun-linux-aarch64" },
} as const;

export type Architecture = keyof typeof TARGETS;

/**
 * The path of the pinned runtime for `architecture`, fetched by npm when it is not in .tools yet. Its archive has the digest that bun.lock
 * holds: what gets into a release is what was reviewed, whoever serves it. Throws when npm cannot fetch it or the digest differs.
 */
export function fetchRuntime(architecture: Architecture): string {
  const version = manifest.engines.bun;
  const { package: name } = TARGETS[architecture];
  const folder = join(ROOT, ".tools", `runtime-${architecture}-${version}`);
  const runtime = join(folder, "package/bin/bun");
  if (existsSync(runtime)) return runtime;
  const unfinished = `${folder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const archive = run(["npm", "pack", "--silent", `${name}@${version}`], unfinished).trim();
  const digest = createHash("sha512")
    .update(readFileSync(join(unfinished, archive)))
    .digest("base64");
  const expected = readLock().integrityOf(`${name}@${version}`);
  if (`sha512-${digest}` !== expected)
    throw new Error(`${name}@${version} is not what bun.lock holds: sha512-${digest} instead of ${expected}`);
  run(["tar", "-xzf", archive], unfinished);
  rmSync(join(unfinished, archive));
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return runtime;
}

function run(command: readonly string[], cwd: string): string {
  const { success, stdout, stderr } = Bun.spawnSync([...command], { cwd, stdout: "pipe", stderr: "pipe" });
  if (!success) throw new Error(`${command.join(" ")}: ${stderr.toString().trim().split("\n").at(-1)}`);
  return stdout.toString();
}
