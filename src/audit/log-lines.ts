import type { Clock } from "../lib/clock.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import { OVERFULL_SIZE, type OutputLines } from "./output-lines.ts";

/**
 * Operational lines on their way to standard output. Unlike audit lines they may be lost: while too much waits already they are
 * counted, and one line tells how many as soon as lines leave again.
 */
export function createLogLines(lines: OutputLines, clock: Clock): (line: string) => void {
  let dropped = 0;

  const tellDropped = (): void => {
    const message = "log lines were dropped while standard output was stuck";
    const line = { level: "warn", time: formatEpochSeconds(clock.nowMs() / 1000), message, dropped };
    dropped = 0;
    lines.append(JSON.stringify(line), "log");
  };

  return (line) => {
    if (lines.pendingSize <= OVERFULL_SIZE) {
      lines.append(line, "log");
      return;
    }
    dropped += 1;
    if (dropped === 1) void lines.nextWritten().then(tellDropped);
  };
}
