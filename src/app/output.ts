import { OutputLines } from "../audit/output-lines.ts";
import { createLogLines } from "../audit/log-lines.ts";
import { openStandardOutput, type OutputKind } from "../audit/standard-output.ts";
import type { Configuration } from "../config/configuration.ts";
import type { Clock } from "../lib/clock.ts";
import { createDevelopmentLogger } from "../telemetry/development-logger.ts";
import { createJsonLogger, type Logger } from "../telemetry/logger.ts";
import { withNextStep } from "./start-failure.ts";
import { untilAborted } from "./signals.ts";

/** Standard output with its one writer, and the operational log that shares it. */
export interface Output extends AsyncDisposable {
  readonly lines: OutputLines;
  readonly logger: Logger;
  /** For lines that may be lost while standard output is stuck. */
  readonly writeLine: (line: string) => void;
  /** Aborted when nobody can read standard output any more; `complain` has been told. */
  readonly closed: AbortSignal;
  /** From now on disposing waits for nothing. */
  readonly abandon: () => void;
}

export const OUTPUT_CLOSED = withNextStep(
  "standard output is closed: without audit lines no token may leave",
  "output-closed",
  "start the service with a standard output that something reads, or look at why its reader ended",
);

/** How long the last lines may take at the end. */
const LAST_LINES_MS = 5000;

export interface OutputOptions {
  readonly kind: OutputKind;
  readonly logging: Configuration["logging"];
  readonly clock: Clock;
  readonly complain: (line: string) => void;
}

/** Disposing waits for what still waits to be written, five seconds at most. */
export function openOutput({ kind, logging, clock, complain }: OutputOptions): Output {
  const closed = new AbortController();
  let isAbandoned = false;
  let isFailing = false;
  /** One line an outage: the log itself cannot tell. */
  const complainOnce = (error: unknown): void => {
    if (isFailing) return;
    isFailing = true;
    const line = `standard output takes no lines (${codeOf(error)}): until it does, no token leaves`;
    complain(withNextStep(line, "output-stuck", "make room where it goes to, or look at what reads it"));
    void lines.nextWritten().then(() => (isFailing = false));
  };
  const lines = new OutputLines({
    sink: openStandardOutput(kind),
    instance: crypto.randomUUID(),
    clock,
    onFailure: (error) => {
      if (closed.signal.aborted) return;
      if (codeOf(error) !== "EPIPE") {
        complainOnce(error);
        return;
      }
      complain(OUTPUT_CLOSED);
      closed.abort(new Error("standard output is closed"));
    },
  });
  const writeLine = createLogLines(lines, clock);
  return {
    lines,
    logger: createLogger(logging, clock, writeLine),
    writeLine,
    closed: closed.signal,
    abandon: () => (isAbandoned = true),
    [Symbol.asyncDispose]: async () => {
      if (closed.signal.aborted || isAbandoned) return;
      await Promise.race([
        lines[Symbol.asyncDispose](),
        untilAborted(closed.signal),
        new Promise<void>((resolve) => clock.after(LAST_LINES_MS, resolve)),
      ]);
    },
  };
}

function createLogger(
  { level, format }: Configuration["logging"],
  clock: Clock,
  writeLine: (line: string) => void,
): Logger {
  if (format === "development") return createDevelopmentLogger(clock.nowMs, writeLine);
  return createJsonLogger(level, clock.nowMs, writeLine);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}
