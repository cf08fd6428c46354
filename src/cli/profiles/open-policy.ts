import { compileFile } from "../../profiles/compile.ts";
import type { PolicyGeneration } from "../../profiles/policy.ts";
import { MAX_PROFILE_FILE_BYTES } from "../../profiles/source-text.ts";
import type { CommandIo } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { readNamedFile } from "./profile-options.ts";

/** The policy of a file that the service would take. Throws `CommandFailure`, with the first problem, for one that it would refuse. */
export async function openPolicy(path: string, io: CommandIo): Promise<PolicyGeneration> {
  const bytes = await readNamedFile(path, MAX_PROFILE_FILE_BYTES, io);
  const compilation = compileFile(bytes, "");
  if (compilation.kind === "compiled") return compilation.policy.generation;
  const [first] = compilation.findings;
  const place = first === undefined ? "" : `: line ${first.line}, column ${first.column}: ${printable(first.message)}`;
  throw new CommandFailure(`${printable(path)} is refused as a whole${place}`, {
    code: "policy-refused",
    advice: `chinmina-bridge profiles check ${printable(path)} tells every problem`,
  });
}
