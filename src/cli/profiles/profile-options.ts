import { isRepositoryName } from "../../github/repository-name.ts";
import type { IsAppUsable } from "../../profiles/resolve.ts";
import type { CommandIo, CommandOption, Invocation } from "../command.ts";
import { CommandFailure, UsageError } from "../failure.ts";
import { printable } from "../printable.ts";

export const APPS_OPTION: CommandOption = {
  name: "apps",
  value: "A,B",
  meaning: "the Apps that exist beside the default one; without it, every name is taken for one",
};

export const POLICY_REPOSITORY_OPTION: CommandOption = {
  name: "policy-repository",
  value: "NAME",
  meaning: "the repository that holds the policy, without its owner",
};

/** Which Apps exist, as `--apps` says. */
export function readApps(invocation: Invocation): IsAppUsable {
  const names = invocation.text("apps")?.split(",");
  if (names === undefined) return () => true;
  if (names.some((name) => name.trim() === ""))
    throw new UsageError("--apps holds an empty name: --apps writer,reader");
  const known = new Set(names.map((name) => name.trim()));
  return (name) => known.has(name);
}

/** The value of an option that names a repository. */
export function readRepository(invocation: Invocation, option: string): string | undefined {
  const name = invocation.text(option);
  if (name === undefined || isRepositoryName(name)) return name;
  const hint = name.includes("/")
    ? "leave the owner out"
    : "1 to 100 letters, digits, dots, - and _, not ending in .git";
  throw new UsageError(`--${option} is not the name of a repository`, hint);
}

/** A file's bytes; a larger one comes back cut, one byte over `maxBytes`. Throws `CommandFailure`. */
export async function readNamedFile(
  path: string,
  maxBytes: number,
  { readFile }: Pick<CommandIo, "readFile">,
): Promise<Uint8Array> {
  try {
    return await readFile(path, maxBytes);
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    const reason = typeof code === "string" ? code : "failed";
    const advice = ADVICE.get(reason) ?? "see that the file is there and may be read";
    throw new CommandFailure(`${printable(path)} cannot be read (${printable(reason)})`, {
      code: "file-unreadable",
      advice,
      cause: error,
    });
  }
}

const ADVICE: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file; paths are taken from the current folder"],
  ["EISDIR", "that is a folder; name the file in it"],
  ["EACCES", "the file may not be read by you; look at its permissions"],
]);
