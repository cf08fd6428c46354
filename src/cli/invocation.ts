import { parseArgs } from "node:util";
import { nearestName } from "../lib/nearest-name.ts";
import type { Command, CommandOption, Invocation } from "./command.ts";
import { UsageError } from "./failure.ts";
import { printable } from "./printable.ts";

const HELP: CommandOption = { name: "help", meaning: "this text" };

/** Whether help is asked for anywhere before `--`, whatever else is wrong with the line. */
export function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).some((word) => word === "--help" || word === "-h");
}

/**
 * Checks `argv` against the options and operands of `command`. Options may stand anywhere, as `--name value` or
 * `--name=value`, each once; what follows `--` are operands.
 *
 * Throws `UsageError`, which names options but never repeats values: they may be secrets in the wrong place.
 */
export function parseInvocation(name: string, command: Command, argv: readonly string[]): Invocation {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      command.options.map((option) => [option.name, { type: option.value === undefined ? "boolean" : "string" }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const option = command.options.find((candidate) => token.rawName === `--${candidate.name}`);
    if (option === undefined) throw unknownOption(name, command.options, token.rawName);
    if (given.has(option.name)) throw new UsageError(`--${option.name} is given twice`, helpOf(name));
    given.set(option.name, checkValue(name, option, token.value, token.inlineValue === true));
  }
  checkOperands(name, command, operands.length);
  return {
    operands,
    text: (option) => given.get(option) ?? command.options.find((known) => known.name === option)?.choices?.[0],
    flag: (option) => given.has(option),
  };
}

/** What to say of an option that nobody knows. Its name alone is repeated. */
export function unknownOption(name: string, options: readonly CommandOption[], rawName: string): UsageError {
  const plain = rawName.replace(/^-+/, "").replace(/=.*$/s, "");
  const nearest = nearestName(
    plain,
    [...options, HELP].map((option) => option.name),
  );
  return new UsageError(
    `unknown option ${printable(rawName.replace(/=.*$/s, ""))}`,
    nearest === undefined ? helpOf(name) : `did you mean --${nearest}? ${helpOf(name)}`,
  );
}

export function helpOf(name: string): string {
  return `see ${["chinmina-bridge", name, "--help"].filter(Boolean).join(" ")}`;
}

function checkValue(name: string, option: CommandOption, value: string | undefined, inline: boolean): string {
  if (option.value === undefined) {
    if (value !== undefined) throw new UsageError(`--${option.name} takes no value`, helpOf(name));
    return "";
  }
  // `--port --url x` is a forgotten value, not a port called --url; --port=-1 says it on purpose.
  if (value === undefined || value === "" || (!inline && value.startsWith("-") && value !== "-")) {
    throw new UsageError(`--${option.name} needs a value: --${option.name} ${option.value}`, helpOf(name));
  }
  if (option.choices !== undefined && !option.choices.includes(value)) {
    const nearest = nearestName(value, option.choices);
    const advice = nearest === undefined ? helpOf(name) : `did you mean ${nearest}? ${helpOf(name)}`;
    throw new UsageError(`--${option.name} is one of ${option.choices.join(", ")}`, advice);
  }
  return value;
}

function checkOperands(name: string, { operands }: Command, count: number): void {
  if (operands === undefined && count > 0) throw new UsageError(`${name} takes no arguments`, helpOf(name));
  if (operands === undefined) return;
  if (count < operands.least) throw new UsageError(`${name} needs ${operands.usage}`, helpOf(name));
  if (count > operands.most) throw new UsageError(`${name} takes only ${operands.usage}`, helpOf(name));
}
