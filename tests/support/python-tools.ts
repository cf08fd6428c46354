import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TOOLS = join(import.meta.dir, "../../.tools");

/** For a hook that installs tools first, on a slow network. */
export const INSTALL_TIMEOUT_MS = 10 * 60_000;

/**
 * Installs Python packages, pinned, in a folder of their own inside the project, when they are not there yet. Resolves with the folder's
 * `bin`. Throws with one line that says what `purpose` lacks.
 */
export async function installPythonTools(name: string, packages: readonly string[], purpose: string): Promise<string> {
  const folder = join(TOOLS, name);
  const marker = join(folder, "installed.txt");
  const wanted = packages.join("\n");
  const programs = join(folder, "bin");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return programs;
  mkdirSync(folder, { recursive: true });
  await run(
    ["python3", "-m", "venv", folder],
    `${purpose} need Python 3 with its venv module (Debian: apt-get install python3-venv)`,
  );
  await run(
    [join(programs, "pip"), "install", "--quiet", "--disable-pip-version-check", ...packages],
    `${purpose} could not be installed by pip (${packages.join(", ")})`,
  );
  writeFileSync(marker, wanted);
  return programs;
}

async function run(command: readonly string[], problem: string): Promise<void> {
  if (Bun.which(command[0] ?? "") === null) throw new Error(`${problem}: ${command[0]} is not there`);
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const errors = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${problem}: ${lastLine(errors)}`);
}

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
