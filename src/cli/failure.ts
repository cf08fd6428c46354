import type { ExitCode } from "./command.ts";

/**
 * Ends a command with a message for the person who ran it: one line of what failed and, with `advice`, a second of what
 * to do. Neither may hold a secret.
 */
export class CommandFailure extends Error {
  readonly advice: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, options: { advice?: string; exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.advice = options.advice;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The command line is wrong: exit 2. */
export class UsageError extends CommandFailure {
  constructor(message: string, advice?: string) {
    super(message, { exitCode: 2, ...(advice === undefined ? {} : { advice }) });
  }
}
