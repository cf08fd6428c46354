import { rmSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";

export const ROOT = join(import.meta.dir, "../..");
const AUTOLOADED = ["dotenv", "bunfig", "tsconfig", "package-json"];

export interface Compilation {
  /** Relative to the root of the project: an absolute path would get into the binary. Its last part gets in. */
  readonly outfile: string;
  readonly commit: string;
  /** For another machine than this one: what to run on, and the runtime to put in. Default: the runtime that builds. */
  readonly other?: { readonly target: string; readonly runtime: string };
  /** Where the bundler's list of modules goes. Default: nowhere. */
  readonly metafile?: string;
}

/**
 * Compiles the program to one binary with the runtime in it. The same sources, at whatever path, give the same bytes. Throws with the
 * bundler's first error.
 *
 * The flags, and why:
 * - production: without it the bundler writes NODE_ENV=development into the program.
 * - bytecode with esm (bytecode alone means cjs, which has no top-level await) and splitting: measured as the quickest
 *   start, 28 ms against 66 without bytecode and 45 without splitting, for 8 MB more.
 * - no autoload: by default a binary reads .env and bunfig.toml where it is started, and the latter runs scripts.
 * - env=disable: nothing of the builder's environment gets in.
 * - __dirname: the bundler would put in where a CommonJS module (@grpc/grpc-js) lay on the builder's disk. What such modules look for
 *   beside themselves is not there at run time in either case.
 */
export function compile({ outfile, commit, other, metafile }: Compilation): void {
  rmSync(join(ROOT, outfile), { force: true });
  const build = Bun.spawnSync(
    [
      process.execPath,
      "build",
      "--compile",
      "--production",
      "--minify",
      "--bytecode",
      "--format=esm",
      "--splitting",
      "--env=disable",
      ...AUTOLOADED.map((name) => `--no-compile-autoload-${name}`),
      ...(other === undefined ? [] : [`--target=${other.target}`, `--compile-executable-path=${other.runtime}`]),
      ...(metafile === undefined ? [] : [`--metafile=${metafile}`]),
      "--define",
      `BUILD_VERSION=${JSON.stringify(manifest.version)}`,
      "--define",
      `BUILD_COMMIT=${JSON.stringify(commit)}`,
      ...["__dirname", "__filename"].flatMap((name) => ["--define", `${name}=${JSON.stringify("/chinmina-bridge")}`]),
      `--outfile=${outfile}`,
      "src/main.ts",
    ],
    { cwd: ROOT, stdout: "pipe", stderr: "pipe" },
  );
  if (build.success) return;
  const lines = `${build.stderr.toString()}\n${build.stdout.toString()}`.split("\n");
  const reason = lines.find((line) => /\berror\b/i.test(line)) ?? `bun build ended with status ${build.exitCode}`;
  throw new Error(`build failed: ${Bun.stripANSI(reason).trim()}`);
}

/** The commit that BUILD_COMMIT names, else git's; `unknown` where there is neither. */
export function findCommit(): string {
  const given = process.env["BUILD_COMMIT"];
  if (given !== undefined && given !== "") return given;
  if (Bun.which("git") === null) return "unknown";
  const found = Bun.spawnSync(["git", "rev-parse", "HEAD"], { cwd: ROOT, stderr: "ignore" });
  return found.success ? found.stdout.toString().trim() : "unknown";
}
