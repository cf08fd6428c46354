import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";

/** Standard output as a sink that takes text without blocking the event loop. */
export interface OutputSink {
  /**
   * Hands the text to the operating system: undefined when it has it already, else a promise of that. Throws and rejects with what the
   * system says; an `OutputFailure` where it is known how much was taken before.
   */
  readonly send: (text: string) => Promise<void> | undefined;
}

/** A write that broke off: so many bytes of it had been taken. */
export class OutputFailure extends Error {
  readonly writtenBytes: number;
  /** The system's name for what happened: `ENOSPC`. */
  readonly code: string | undefined;

  constructor(writtenBytes: number, cause: NodeJS.ErrnoException) {
    super("standard output took less than the whole write", { cause });
    this.writtenBytes = writtenBytes;
    this.code = cause.code;
  }
}

/** A line that waits to be written or has been. */
export interface PendingLine {
  /**
   * Resolves once the operating system has the line. Rejects with `output-failed` when the write with which it should have left failed: it
   * then waits for the next one, so that nothing is dropped, and may be replaced.
   */
  readonly written: Promise<void>;
  /**
   * The same for one waiter, without a promise for each line: called once, in a later turn. `isWritten` is true as well where this line had left
   * before its write broke off.
   */
  readonly tell: (waiter: LineWaiter) => void;
  /** Puts another text in its place; false when the line is on its way or written, and stays as it is. */
  readonly replace: (text: string) => boolean;
}

/** Must not throw. */
export interface LineWaiter {
  readonly onDeparture: (isWritten: boolean) => void;
}

/** `audit` lines end in an open JSON object that is closed with instance and sequence; `log` lines are whole. */
export type LineKind = "audit" | "log";

export interface OutputLinesOptions {
  readonly sink: OutputSink;
  /** Random at each start: with the sequence number it makes a lost line show. */
  readonly instance: string;
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
}

/** Past this many UTF-16 units waiting, memory is what counts: audit lines are counted instead of kept, log lines dropped. */
export const OVERFULL_SIZE = 1024 * 1024;

/** How long to wait before the next try when a write has failed (a full disk). */
const RETRY_MS = 1000;

/**
 * The one writer of standard output. Lines of one turn of the event loop share one write; while a write is under way the next batch
 * gathers. Nothing is dropped and nothing overtakes: what a failed write did not take leaves with the next, on a line of its own.
 *
 * Sequence numbers are given as lines leave, and given again to lines that did not, so that they have no gaps.
 * Measured: batching costs 20 us of CPU a request at 32 connections, a write a line 27.
 */
export class OutputLines implements AsyncDisposable {
  readonly #options: OutputLinesOptions;
  #waiting: Line[] = [];
  #departure = newDeparture();
  #draining: Promise<void> | undefined;
  #taken = Promise.withResolvers<void>();
  #isTorn = false;
  #sequence = 0;
  #pending = 0;
  readonly #grow = (by: number): void => {
    this.#pending += by;
  };

  constructor(options: OutputLinesOptions) {
    this.#options = options;
  }

  /** Queues a line, without its line end. */
  append(text: string, kind: LineKind): PendingLine {
    const line = new Line(text, kind, this.#departure.promise, this.#grow);
    this.#waiting.push(line);
    this.#pending += text.length;
    this.#draining ??= this.#drain();
    return line;
  }

  /** As every audit line has it. */
  get instance(): string {
    return this.#options.instance;
  }

  /** UTF-16 units that wait to be written, the batch under way included. */
  get pendingSize(): number {
    return this.#pending;
  }

  /** Resolves when standard output next takes a batch. */
  nextWritten(): Promise<void> {
    return this.#taken.promise;
  }

  /** Resolves when every line so far is written. Waits as long as standard output takes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      const departure = this.#departure;
      this.#waiting = [];
      this.#departure = newDeparture();
      for (const line of batch) line.state = "leaving";
      try {
        const sent = this.#options.sink.send(this.#render(batch));
        if (sent !== undefined) await sent;
      } catch (error) {
        this.#takeBack(batch, error instanceof OutputFailure ? error.writtenBytes : undefined);
        departure.reject(new BridgeError("output-failed", "standard output took no line", { cause: error }));
        for (const line of batch) line.depart();
        this.#options.onFailure(error);
        await new Promise<void>((resolve) => this.#options.clock.after(RETRY_MS, resolve));
        continue;
      }
      this.#isTorn = false;
      this.#settle(batch);
      departure.resolve();
      for (const line of batch) line.depart();
      this.#taken.resolve();
      this.#taken = Promise.withResolvers();
    }
    this.#draining = undefined;
  }

  #render(batch: readonly Line[]): string {
    let text = this.#isTorn ? "\n" : "";
    for (const line of batch) text += this.#stamp(line);
    return text;
  }

  #stamp({ kind, text }: Line): string {
    return kind === "log" ? `${text}\n` : this.#close(text, ++this.#sequence);
  }

  #close(text: string, sequence: number): string {
    return `${text},"instance":"${this.#options.instance}","sequence":${sequence}}\n`;
  }

  /** Finds which lines left before a write broke off; the others wait again, in their order, and their numbers are free again. */
  #takeBack(batch: readonly Line[], writtenBytes: number | undefined): void {
    let left = (writtenBytes ?? 0) - (this.#isTorn ? 1 : 0);
    let sequence = this.#sequence - batch.filter(({ kind }) => kind === "audit").length;
    let count = 0;
    for (const { kind, text } of batch) {
      const size = Buffer.byteLength(kind === "log" ? `${text}\n` : this.#close(text, sequence + 1));
      // A line that lacks nothing but its line end is whole.
      if (left < size - 1) break;
      left -= size;
      count += 1;
      if (kind === "audit") sequence += 1;
    }
    this.#settle(batch.slice(0, count));
    const back = batch.slice(count);
    for (const line of back) line.state = "waiting";
    this.#waiting = [...back, ...this.#waiting];
    this.#sequence = sequence;
    // Without a count, who knows what stands there: an empty line harms nobody.
    this.#isTorn = writtenBytes === undefined || left !== 0;
  }

  #settle(lines: readonly Line[]): void {
    for (const line of lines) {
      line.state = "written";
      this.#pending -= line.text.length;
    }
  }
}

class Line implements PendingLine {
  text: string;
  readonly kind: LineKind;
  readonly written: Promise<void>;
  state: "waiting" | "leaving" | "written" = "waiting";
  readonly #onResize: (grownBy: number) => void;
  #waiter: LineWaiter | undefined;

  constructor(text: string, kind: LineKind, written: Promise<void>, onResize: (grownBy: number) => void) {
    this.text = text;
    this.kind = kind;
    this.written = written;
    this.#onResize = onResize;
  }

  tell(waiter: LineWaiter): void {
    this.#waiter = waiter;
  }

  /** Its write has ended, well or not. */
  depart(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.onDeparture(this.state === "written");
  }

  replace(text: string): boolean {
    if (this.state !== "waiting") return false;
    this.#onResize(text.length - this.text.length);
    this.text = text;
    return true;
  }
}

function newDeparture(): PromiseWithResolvers<void> {
  const departure = Promise.withResolvers<void>();
  // A batch of log lines has nobody waiting for it.
  departure.promise.catch(() => undefined);
  return departure;
}
