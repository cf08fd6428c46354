import type { CommandIo, TextOutput } from "../../src/cli/command.ts";
import { run } from "../../src/cli/run.ts";
import type { Environment } from "../../src/config/environment-reader.ts";
import { createFixedClock } from "./fixed-clock.ts";

export interface CapturedOutput extends TextOutput {
  readonly text: () => string;
}

export function captureOutput(kind: "pipe" | "terminal" | "plain terminal" = "pipe"): CapturedOutput {
  let all = "";
  return {
    isTerminal: kind !== "pipe",
    isColoured: kind === "terminal",
    write: (text) => {
      all += text;
      return Promise.resolve();
    },
    text: () => all,
  };
}

export interface RunResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunSettings {
  readonly environment?: Environment;
  readonly fetch?: CommandIo["fetch"];
  readonly out?: CapturedOutput;
  /** What the files hold that the command may read, by the names it is given; there are no others. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** What stands on standard input; an error when it cannot be read. */
  readonly input?: string | Error;
  /** What somebody at the terminal answers; nobody sits there unless given. */
  readonly answer?: string;
}

/** Runs a command line in this process, with nothing around it but what is handed in. */
export async function runCaptured(argv: readonly string[], settings: RunSettings = {}): Promise<RunResult> {
  const { environment = {}, out = captureOutput(), fetch = () => Promise.reject(new Error("no network")) } = settings;
  const err = captureOutput();
  const ask = () => Promise.resolve(settings.answer);
  const { files = {}, input = "" } = settings;
  const readFile: CommandIo["readFile"] = (path, maxBytes) => {
    const content = Object.hasOwn(files, path) ? files[path] : undefined;
    if (content === undefined) return Promise.reject(Object.assign(new Error("no such file"), { code: "ENOENT" }));
    return Promise.resolve(new Uint8Array(Buffer.from(content)).slice(0, maxBytes + 1));
  };
  const readInput: CommandIo["readInput"] = (maxBytes) =>
    input instanceof Error
      ? Promise.reject(input)
      : Promise.resolve(new Uint8Array(Buffer.from(input)).slice(0, maxBytes + 1));
  const clock = createFixedClock();
  const code = await run(argv, { out, err, environment, clock, ask, fetch, readFile, readInput });
  return { code, out: out.text(), err: err.text() };
}
