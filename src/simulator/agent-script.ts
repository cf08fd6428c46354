import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface AgentScriptParts {
  readonly oidc: { readonly url: string };
  readonly control: { readonly url: string };
}

/**
 * Writes an executable `buildkite-agent` into the directory (made when it is not there) and returns its path. First in a job's PATH,
 * with `BUILDKITE_JOB_ID` and `BUILDKITE_AGENT_ACCESS_TOKEN` set, it lets plugins ask this simulator for their tokens.
 */
export async function writeAgentScript(directory: string, { oidc, control }: AgentScriptParts): Promise<string> {
  const entry = join(import.meta.dir, "buildkite-agent.ts");
  const script = `#!/bin/sh
exec ${quote(process.execPath)} ${quote(entry)} --issuer ${quote(oidc.url)} --control ${quote(control.url)} \\
  --job "\${BUILDKITE_JOB_ID:-}" --agent-access-token "\${BUILDKITE_AGENT_ACCESS_TOKEN:-}" -- "$@"
`;
  const path = join(directory, "buildkite-agent");
  await mkdir(directory, { recursive: true });
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

/** As one word of a shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
