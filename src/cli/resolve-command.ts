import { nearestName } from "../lib/nearest-name.ts";
import { UsageError } from "./failure.ts";
import { helpOf, unknownOption } from "./invocation.ts";
import { printable } from "./printable.ts";
import type { CommandEntry } from "./registry.ts";

export type Resolution =
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly rest: readonly string[] }
  /** Words that begin several commands: `keyset`; empty for all. */
  | { readonly kind: "group"; readonly name: string; readonly entries: readonly CommandEntry[] };

/**
 * The command that `argv` begins with; the first of `commands` when there is nothing at all.
 *
 * Throws `UsageError` for anything else: an unknown word or an option in front never starts the service.
 */
export function resolveCommand(
  commands: readonly [CommandEntry, ...CommandEntry[]],
  argv: readonly string[],
): Resolution {
  const [first, second] = argv;
  if (first === undefined) return { kind: "command", entry: commands[0], rest: [] };
  if (first === "--help" || first === "-h") return { kind: "group", name: "", entries: commands };
  if (first.startsWith("-")) throw optionInFront(commands, first);
  const exact =
    commands.find(({ name }) => name === `${first} ${second}`) ?? commands.find(({ name }) => name === first);
  if (exact !== undefined) return { kind: "command", entry: exact, rest: argv.slice(exact.name.split(" ").length) };
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0)
    throw unknownCommand(
      commands,
      [first, second].filter((word) => word !== undefined),
    );
  if (second === undefined || second.startsWith("-")) return { kind: "group", name: first, entries: group };
  throw unknownCommand(group, [first, second]);
}

function unknownCommand(commands: readonly CommandEntry[], words: readonly string[]): UsageError {
  const names = commands.map(({ name }) => name);
  const nearest = nearestName(words.join(" "), names) ?? nearestName(words[0] ?? "", names);
  const shown = words.length > 1 && commands.every(({ name }) => name.includes(" ")) ? words.join(" ") : words[0];
  return new UsageError(
    `unknown command ${printable(shown ?? "")}`,
    nearest === undefined ? helpOf("") : `did you mean ${nearest}? ${helpOf("")}`,
  );
}

/** `--version` is what many programs have in place of our command. */
function optionInFront(commands: readonly CommandEntry[], option: string): UsageError {
  const command = commands.find(({ name }) => `--${name}` === option);
  if (command === undefined) return unknownOption("", [], option);
  return new UsageError(`unknown option ${option}`, `did you mean chinmina-bridge ${command.name}? ${helpOf("")}`);
}
