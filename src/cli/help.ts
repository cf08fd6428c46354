import type { Command, CommandOption } from "./command.ts";
import type { CommandEntry } from "./registry.ts";
import { bold } from "./style.ts";

const PROGRAM = "chinmina-bridge";
const PURPOSE = "Exchanges Buildkite OIDC tokens for short-lived GitHub App installation tokens.";

/** Help for all commands, or for those that begin with one word; with an example of one of them, as it works. */
export async function describeCommands(
  group: string,
  entries: readonly CommandEntry[],
  coloured: boolean,
): Promise<string> {
  const name = [PROGRAM, group].filter(Boolean).join(" ");
  const shown = entries.find((entry) => entry.name === "config check") ?? entries[0];
  const example = (await shown?.load())?.examples[0] ?? PROGRAM;
  return join(
    group === "" ? PURPOSE : undefined,
    section("Usage", [group === "" ? `${PROGRAM} [command] [options]` : `${name} COMMAND [options]`], coloured),
    section("Commands", columns(entries.map((entry) => [entry.name, entry.summary])), coloured),
    section("Example", [example], coloured),
    `${PROGRAM} COMMAND --help tells more of one command.`,
  );
}

export function describeCommand({ name, summary }: CommandEntry, command: Command, coloured: boolean): string {
  const usage = [PROGRAM, name, command.operands?.usage, command.options.length > 0 ? "[options]" : undefined];
  const options = [...command.options.map(describeOption), ["--help", "this text"] as const];
  return join(
    `${summary}.`,
    section("Usage", [usage.filter((part) => part !== undefined).join(" ")], coloured),
    section("Options", columns(options), coloured),
    section(command.examples.length > 1 ? "Examples" : "Example", command.examples, coloured),
  );
}

function describeOption({ name, value, choices, meaning }: CommandOption): readonly [string, string] {
  const shown = choices === undefined ? value : choices.join("|");
  return [shown === undefined ? `--${name}` : `--${name} ${shown}`, meaning];
}

function section(title: string, lines: readonly string[], coloured: boolean): string {
  return [bold(title, coloured), ...lines.map((line) => `  ${line}`)].join("\n");
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`);
}

function join(...parts: readonly (string | undefined)[]): string {
  return `${parts.filter((part) => part !== undefined).join("\n\n")}\n`;
}
