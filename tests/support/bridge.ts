import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const BINARY = join(ROOT, "dist/chinmina-bridge");

export type ProgramForm = "source" | "binary" | "image";

/** What the HTTP tests run against, with the very same files: the source, the compiled binary, or the binary in the image's root. */
export const underTest: ProgramForm = formUnderTest();

/** As the environment says now: a script may choose the binary after it has imported this. */
function formUnderTest(): ProgramForm {
  const value = process.env["BRIDGE_UNDER_TEST"];
  return value === "binary" || value === "image" ? value : "source";
}

/** The command that starts the program under test. */
export function bridgeCommand(form: ProgramForm = formUnderTest()): string[] {
  if (form === "source") return [process.execPath, join(ROOT, "src/main.ts")];
  if (form === "image") return [process.env["BRIDGE_IMAGE_COMMAND"] ?? "BRIDGE_IMAGE_COMMAND-is-not-set"];
  if (!existsSync(BINARY)) throw new Error("dist/chinmina-bridge is not there: run `make build` first");
  return [BINARY];
}

/** One line of standard output, parsed. */
export type OutputLine = Readonly<Record<string, any>>;

/** A service process with its standard output being read. */
export interface Bridge extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** Every line of standard output so far. */
  readonly lines: readonly OutputLine[];
  readonly audit: readonly OutputLine[];
  /** Resolves with the first line, past or to come, that `matches`. */
  readonly waitFor: (matches: (line: OutputLine) => boolean) => Promise<OutputLine>;
  /** All of both outputs as text, for searching. */
  readonly output: () => string;
  readonly stop: (signal?: NodeJS.Signals) => Promise<number>;
}

export interface BridgeOptions {
  /** After so many lines of output, further ones are read and forgotten: for load tests. Default: all are kept. */
  readonly keepLines?: number;
  /** Sees every line of standard output, those that are forgotten too. */
  readonly onLine?: (text: string) => void;
  /** Default: what the environment of the tests says. */
  readonly form?: ProgramForm;
  /** What to start in place of the program under test; `serve` follows it. */
  readonly command?: readonly string[];
}

/** Starts the service with exactly these variables and waits until it listens. Throws with its output when it does not. */
export async function startBridge(
  environment: Readonly<Record<string, string>>,
  { keepLines = Number.POSITIVE_INFINITY, onLine, form, command = bridgeCommand(form) }: BridgeOptions = {},
): Promise<Bridge> {
  const child = Bun.spawn([...command, "serve"], {
    env: { PATH: process.env["PATH"] ?? "", SERVER_PORT: "0", SERVER_HOST: "127.0.0.1", ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const lines: OutputLine[] = [];
  const waiting = new Set<{ matches: (line: OutputLine) => boolean; resolve: (line: OutputLine) => void }>();
  let output = "";
  const readOut = readLines(child.stdout, (text) => {
    onLine?.(text);
    if (lines.length >= keepLines) return;
    output += `${text}\n`;
    const line: OutputLine = text.startsWith("{") ? JSON.parse(text) : { text };
    lines.push(line);
    for (const one of waiting) {
      if (!one.matches(line)) continue;
      waiting.delete(one);
      one.resolve(line);
    }
  });
  const readError = readLines(child.stderr, (text) => (output += `${text}\n`));
  const waitFor = (matches: (line: OutputLine) => boolean): Promise<OutputLine> => {
    const past = lines.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    const { promise, resolve } = Promise.withResolvers<OutputLine>();
    waiting.add({ matches, resolve });
    return promise;
  };
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number> => {
    child.kill(signal);
    const code = await child.exited;
    await Promise.all([readOut, readError]);
    return code;
  };
  const listening = await Promise.race([
    waitFor((line) => line["message"] === "listening"),
    child.exited.then(async (code) => {
      await Promise.all([readOut, readError]);
      throw new Error(`the service ended with status ${code} before it listened:\n${output}`);
    }),
  ]);
  const port = Number(listening["port"]);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process: child,
    lines,
    get audit() {
      return lines.filter((line) => line["type"] === "audit");
    },
    waitFor,
    output: () => output,
    stop,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null) await stop("SIGKILL");
    },
  };
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") onLine(part);
  }
  if (rest !== "") onLine(rest);
}
