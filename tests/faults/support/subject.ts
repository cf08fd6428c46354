import { startBridge, type OutputLine } from "../../support/bridge.ts";
import type { ScaledClock } from "./scaled-clock.ts";
import { createMachine, createOutput, startUnderTest } from "./service.ts";

/** The source in this process, on scaled time; or the compiled binary, on its own. */
export type Form = "source" | "binary";

export interface RunningSubject {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** A service that is put to the test, from before its start to after its end. */
export interface Subject {
  /** Rejects with all that it says when it does not start. */
  readonly start: (environment: Readonly<Record<string, string>>, stop: AbortSignal) => Promise<RunningSubject>;
  /** All that it has written so far. */
  readonly text: () => string;
  /** The audit lines of an answered request. */
  readonly auditOf: (requestId: string) => Promise<readonly OutputLine[]>;
  /** Calls that have left for the faulty upstream, whether or not they arrived: 0 when they cannot be seen from here. */
  readonly attempts: () => number;
  /** From now on the faulty upstream's name cannot be resolved. */
  nameIsLost: boolean;
}

export function createSourceSubject(clock: ScaledClock, concerns: (url: string) => boolean): Subject {
  let attempts = 0;
  const { output, text } = createOutput(clock);
  const machine = createMachine(clock, (url) => {
    if (!concerns(url)) return url;
    attempts += 1;
    return subject.nameIsLost ? url.replace("127.0.0.1", "gone.invalid") : url;
  });
  const subject: Subject = {
    start: (environment, stop) => startUnderTest(environment, machine, output, stop),
    text,
    auditOf: async (id) => auditLinesOf(parseLines(text()), id),
    attempts: () => attempts,
    nameIsLost: false,
  };
  return subject;
}

export function createBinarySubject(caFile: string): Subject {
  let output = (): string => "";
  let lines = (): readonly OutputLine[] => [];
  let waitFor = async (_matches: (line: OutputLine) => boolean): Promise<unknown> => undefined;
  return {
    start: async (environment, stop) => {
      stop.throwIfAborted();
      const bridge = await startBridge({ ...environment, NODE_EXTRA_CA_CERTS: caFile }, { form: "binary" });
      output = bridge.output;
      lines = () => bridge.lines;
      waitFor = bridge.waitFor;
      return { port: bridge.port, stop: async () => void (await bridge.stop()) };
    },
    text: () => output(),
    auditOf: async (id) => {
      // The line has left the service before its reply, and may not have been read here.
      await Promise.race([waitFor((line) => line["request"]?.id === id), Bun.sleep(1000)]);
      return auditLinesOf(lines(), id);
    },
    attempts: () => 0,
    nameIsLost: false,
  };
}

function parseLines(text: string): readonly OutputLine[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

function auditLinesOf(lines: readonly OutputLine[], id: string): readonly OutputLine[] {
  return lines.filter((line) => line["type"] === "audit" && line["request"]?.id === id);
}
