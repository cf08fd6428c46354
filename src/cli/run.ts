import { nextStepFor } from "../app/next-steps.ts";
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
    // What to do is said, and `healthcheck` may have one line.
    return tell([`${message} [forbidden-environment]`], 1, io);
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
  await io.out.write(await describeCommands(name, entries, io.out.isColoured));
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
    if (command.terse && error instanceof CommandFailure) return reportTersely(error, io);
    if (error instanceof UsageError && error.advice === undefined)
      throw new UsageError(error.message, helpOf(entry.name));
    throw error;
  }
}

async function report(error: unknown, io: CommandIo): Promise<ExitCode> {
  const { message, code, advice, exitCode } = describe(error);
  const shown = code === "usage" ? message : `${message} [${code}]`;
  return tell([shown, ...(advice === undefined ? [] : [advice])], exitCode, io);
}

/** Where another program reads it: one line, exit 1. */
function reportTersely({ message }: CommandFailure, io: CommandIo): Promise<ExitCode> {
  return tell([message], 1, io);
}

async function tell(lines: readonly string[], exitCode: ExitCode, { err }: CommandIo): Promise<ExitCode> {
  try {
    await err.write(`${red("error:", err.isColoured)} ${lines.join("\n")}\n`);
  } catch {
    // With standard error closed there is nobody left to tell; the exit status still does.
  }
  return exitCode;
}

interface Description {
  readonly message: string;
  readonly code: string;
  readonly advice: string | undefined;
  readonly exitCode: ExitCode;
}

/** Errors that are not ours may carry anything in their text, so only their kind is told. */
function describe(error: unknown): Description {
  if (error instanceof CommandFailure) return error;
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  if (error instanceof BridgeError && typeof code === "string") {
    return { message: printable(error.message), code, advice: nextStepFor(code), exitCode: 1 };
  }
  const kind = typeof code === "string" ? code : error instanceof Error ? error.name : typeof error;
  const message = `unexpected failure (${printable(kind)})`;
  return { message, code: "unexpected", advice: nextStepFor("unexpected"), exitCode: 1 };
}
