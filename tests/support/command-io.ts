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
  /** What somebody at the terminal answers; nobody sits there unless given. */
  readonly answer?: string;
}

/** Runs a command line in this process, with nothing around it but what is handed in. */
export async function runCaptured(argv: readonly string[], settings: RunSettings = {}): Promise<RunResult> {
  const { environment = {}, out = captureOutput(), fetch = () => Promise.reject(new Error("no network")) } = settings;
  const err = captureOutput();
  const ask = () => Promise.resolve(settings.answer);
  const code = await run(argv, { out, err, environment, clock: createFixedClock(), ask, fetch });
  return { code, out: out.text(), err: err.text() };
}
