import { formatEpochSeconds } from "../lib/rfc3339.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

/** Operational log: one line an event. Never handed a token, key, JWT or request body. */
export interface Logger {
  readonly debug: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly error: (message: string, fields?: LogFields) => void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Lines of JSON: `level`, `time`, `message`, then the fields. Events below `threshold` are not written. */
export function createJsonLogger(threshold: LogLevel, nowMs: () => number, writeLine: (line: string) => void): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (ORDER.indexOf(level) < ORDER.indexOf(threshold)) return;
      writeLine(JSON.stringify({ level, time: formatEpochSeconds(nowMs() / 1000), message, ...fields }));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
