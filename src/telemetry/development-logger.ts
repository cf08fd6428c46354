import type { LogFields, Logger, LogLevel } from "./logger.ts";

/** What a terminal would act upon, and what would make one line look like two. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Lines for people (`ENV=development`): `12:34:56 INFO  message  key=value`, every level, hostile text escaped. */
export function createDevelopmentLogger(nowMs: () => number, writeLine: (line: string) => void): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      const time = new Date(nowMs()).toISOString().slice(11, 19);
      const shown = Object.entries(fields).flatMap(([key, value]) =>
        value === undefined ? [] : [`${key}=${show(value)}`],
      );
      writeLine(escape([`${time} ${level.toUpperCase().padEnd(5)} ${message}`, ...shown].join("  ")));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function show(value: unknown): string {
  return typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}

function escape(line: string): string {
  return line
    .toWellFormed()
    .replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
