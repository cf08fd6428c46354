import type { Environment } from "../config/environment-reader.ts";
import type { Clock } from "../lib/clock.ts";

/** 0: done. 1: what was checked is wrong, or the operation failed. 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2;

/** One end of the terminal, or whatever stands in its place. */
export interface TextOutput {
  readonly isTerminal: boolean;
  /** Terminal, and nobody asked for no colour. */
  readonly isColoured: boolean;
  /** Writes all of `text` as it is. */
  readonly write: (text: string) => Promise<void>;
}

/** The world as a command sees it. */
export interface CommandIo {
  /** For results alone. */
  readonly out: TextOutput;
  /** For everything else. */
  readonly err: TextOutput;
  readonly environment: Environment;
  readonly clock: Clock;
  /** Puts a question to whoever sits at the terminal; undefined when nobody does. */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** A file's first `maxBytes + 1` bytes, so that one that is larger shows. Rejects with the system's error, which has a `code`. */
  readonly readFile: (path: string, maxBytes: number) => Promise<Uint8Array>;
  /** The same of standard input. */
  readonly readInput: (maxBytes: number) => Promise<Uint8Array>;
  readonly fetch: (url: string, init: BunFetchRequestInit) => Promise<Response>;
}

export interface CommandOption {
  /** Without dashes. */
  readonly name: string;
  /** What stands for the value in help: `2s`. Absent: the option takes no value. */
  readonly value?: string;
  /** The only values there are. The first is the default. */
  readonly choices?: readonly [string, ...string[]];
  readonly meaning: string;
}

/** What stood behind a command's name, checked against what the command takes. */
export interface Invocation {
  readonly operands: readonly string[];
  /** The value of an option; its first choice when it has choices and was not given. */
  readonly text: (name: string) => string | undefined;
  /** Whether an option without a value was given. */
  readonly flag: (name: string) => boolean;
}

/** One command, as data. Its name and summary are in the registry, so that the list of commands loads none of them. */
export interface Command {
  /** What may follow the name, options apart: `FILE…`. Absent: nothing may. */
  readonly operands?: { readonly usage: string; readonly least: number; readonly most: number };
  readonly options: readonly CommandOption[];
  /** Command lines that work as they are written. */
  readonly examples: readonly [string, ...string[]];
  /** Any failure is exit 1 and one line, a wrong command line included. */
  readonly terse?: true;
  readonly run: (invocation: Invocation, io: CommandIo) => Promise<ExitCode>;
}

/** `--format text|json`, for commands whose result a program may read. */
export const FORMAT_OPTION: CommandOption = {
  name: "format",
  value: "FORMAT",
  choices: ["text", "json"],
  meaning: "text for people or json for programs",
};
