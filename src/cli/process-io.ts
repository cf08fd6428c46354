import { open, type FileHandle } from "node:fs/promises";
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
    readFile: async (path, maxBytes) => {
      await using file = await open(path);
      return await readStart(chunksOf(file), maxBytes);
    },
    readInput: (maxBytes) => readStart(Bun.stdin.stream(), maxBytes),
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
      code: "output-unwritable",
      advice: "make room where standard output goes to, or let its reader stay until the end",
      cause: error,
    });
  }
}

/** Read by hand: ending the iteration of a read stream early, Bun rejects what nobody awaits. */
async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(64 * 1024));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Never holds more than was asked for and one chunk, whatever is at the other end. */
async function readStart(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.byteLength;
    if (length > maxBytes) break;
  }
  return new Uint8Array(Buffer.concat(parts, Math.min(length, maxBytes + 1)));
}

/** Ctrl-C and Ctrl-D are an empty answer. */
async function ask(question: string): Promise<string | undefined> {
  if (!isatty(0) || !isatty(2)) return undefined;
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } catch (error) {
    if (!(error instanceof Error && error.name === "AbortError")) throw error;
    process.stderr.write("\n");
    return "";
  } finally {
    terminal.close();
  }
}
