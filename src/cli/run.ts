import { findForbiddenVariables } from "../config/forbidden-variables.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { CommandIo, ExitCode } from "./command.ts";
import { CommandFailure, UsageError } from "./failure.ts";
import { describeCommand, describeCommands } from "./help.ts";
import { asksForHelp, helpOf, parseInvocation } from "./invocation.ts";
import { printable } from "./printable.ts";
import { COMMANDS, type CommandEntry } from "./registry.ts";
import { resolveCommand } from "./resolve-command.ts";
import { red } from "./style.ts";

/**
 * Runs the command that `argv` (without program and script) asks for and gives its exit status. Never throws: every
 * failure becomes one or two lines on standard error, without a stack.
 */
export async function run(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const forbidden = findForbiddenVariables(io.environment);
  if (forbidden.length > 0) {
    const message = `unset ${forbidden.join(", ")}: the runtime would let code in, print secrets or trust any certificate`;
    return report(new CommandFailure(message), io);
  }
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return report(error, io);
  }
}

async function dispatch(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const resolution = resolveCommand(COMMANDS, argv);
  if (resolution.kind === "command") return runCommand(resolution.entry, resolution.rest, io);
  const { name, entries } = resolution;
  if (!asksForHelp(argv)) {
    const words = entries.map((entry) => entry.name.slice(name.length + 1));
    throw new UsageError(`${name} needs a command: ${words.join(", ")}`, helpOf(name));
  }
  await io.out.write(describeCommands(name, entries, io.out.isColoured));
  return 0;
}

async function runCommand(entry: CommandEntry, argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const command = await entry.load();
  if (asksForHelp(argv)) {
    await io.out.write(describeCommand(entry, command, io.out.isColoured));
    return 0;
  }
  try {
    return await command.run(parseInvocation(entry.name, command, argv), io);
  } catch (error) {
    if (command.terse && error instanceof CommandFailure) throw new CommandFailure(error.message, { cause: error });
    throw error;
  }
}

async function report(error: unknown, io: CommandIo): Promise<ExitCode> {
  const { message, advice, exitCode } = describe(error);
  const lines = [`${red("error:", io.err.isColoured)} ${message}`, advice].filter((line) => line !== undefined);
  try {
    await io.err.write(`${lines.join("\n")}\n`);
  } catch {
    // With standard error closed there is nobody left to tell; the exit status still does.
  }
  return exitCode;
}

/** Errors that are not ours may carry anything in their text, so only their kind is told. */
function describe(error: unknown): { message: string; advice?: string | undefined; exitCode: ExitCode } {
  if (error instanceof CommandFailure) return error;
  if (error instanceof BridgeError) return { message: printable(error.message), exitCode: 1 };
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  const kind = typeof code === "string" ? code : error instanceof Error ? error.name : typeof error;
  return { message: `unexpected failure (${printable(kind)})`, exitCode: 1 };
}
