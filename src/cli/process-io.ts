import { isatty } from "node:tty";
import { allowsColour } from "../config/colour-preference.ts";
import type { Environment } from "../config/environment-reader.ts";
import { processEnvironment } from "../config/process-environment.ts";
import { systemClock } from "../lib/clock.ts";
import type { CommandIo, TextOutput } from "./command.ts";
import { CommandFailure } from "./failure.ts";

/** This process's own terminal, environment, clock and network. Touches no stream until something is written. */
export function processIo(): CommandIo {
  const environment = processEnvironment();
  return {
    out: output(1, Bun.stdout, environment),
    err: output(2, Bun.stderr, environment),
    environment,
    clock: systemClock,
    ask,
    fetch: (url, init) => fetch(url, init),
  };
}

function output(descriptor: 1 | 2, file: Bun.BunFile, environment: Environment): TextOutput {
  const isTerminal = isatty(descriptor);
  let last: Promise<unknown> = Promise.resolve();
  return {
    isTerminal,
    isColoured: isTerminal && allowsColour(environment),
    // One after the other: Bun.write calls that run at once finish in any order.
    write: (text) => {
      const written = last.then(() => writeAll(file, text));
      last = Promise.allSettled([written]);
      return written;
    },
  };
}

async function writeAll(file: Bun.BunFile, text: string): Promise<void> {
  try {
    await Bun.write(file, text);
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    throw new CommandFailure(`the output cannot be written (${typeof code === "string" ? code : "unknown"})`, {
      cause: error,
    });
  }
}

async function ask(question: string): Promise<string | undefined> {
  if (!isatty(0) || !isatty(2)) return undefined;
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
