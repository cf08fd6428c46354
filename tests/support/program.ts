import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
export const BINARY = join(ROOT, "dist/chinmina-bridge");

/** The program in its two forms. Tests of the command line run against both. */
export const PROGRAMS = [
  ["the source", [process.execPath, join(ROOT, "src/main.ts")]],
  ["the binary", [BINARY]],
] as const satisfies readonly (readonly [string, readonly string[]])[];

export interface ProgramResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program to its end with exactly this environment. Throws when the binary has not been built. */
export async function runProgram(
  program: readonly string[],
  argv: readonly string[],
  settings: { readonly environment?: Readonly<Record<string, string>>; readonly folder?: string } = {},
): Promise<ProgramResult> {
  const [file = ""] = program;
  if (!existsSync(file)) throw new Error("dist/chinmina-bridge is not there: run `make build` first");
  const child = Bun.spawn([...program, ...argv], {
    env: settings.environment ?? {},
    cwd: settings.folder ?? ROOT,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}
