import type { KeysetFailureCode } from "../keyset/keyset-failure.ts";
import type { UpstreamFaultCode } from "../lib/upstream-fault.ts";
import type { KeysetErrorCode } from "../tink/keyset-error.ts";
import type { ExitCode } from "./command.ts";

/** What can go wrong with a command, beside the faults of what it works on. docs/errors.md has an entry of each. */
export type CommandFailureCode =
  | "app-unknown"
  | "cases-malformed"
  | "claims-malformed"
  | "configuration-invalid"
  | "file-unreadable"
  | "file-unwritable"
  | "not-confirmed"
  | "output-unwritable"
  | "permissions-malformed"
  | "permissions-unknown"
  | "policy-refused"
  | "profile-unknown"
  | "purge-busy"
  | "purge-not-ordered"
  | "purges-full"
  | "rotation-early"
  | "token-not-signed"
  | "unexpected"
  | "unhealthy";

/** A usage error has no entry of its own: its advice names the help that says what is right. */
type ShownCode = CommandFailureCode | KeysetFailureCode | KeysetErrorCode | UpstreamFaultCode;

/**
 * Ends a command with a message for the person who ran it: one line of what failed, with its code, and a second of what to do. Neither
 * may hold a secret.
 */
export class CommandFailure extends Error {
  readonly code: ShownCode | "usage";
  readonly advice: string | undefined;
  readonly exitCode: ExitCode;

  constructor(
    message: string,
    options: { readonly code: ShownCode; readonly advice: string; readonly cause?: unknown } | UsageOptions,
  ) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.name = new.target.name;
    this.code = options.code;
    this.advice = options.advice;
    this.exitCode = options.code === "usage" ? 2 : 1;
  }
}

interface UsageOptions {
  readonly code: "usage";
  readonly advice: string | undefined;
}

/** The command line is wrong: exit 2. Without advice, the command's help is named. */
export class UsageError extends CommandFailure {
  constructor(message: string, advice?: string) {
    super(message, { code: "usage", advice });
  }
}
