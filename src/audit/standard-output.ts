import { fstatSync, readFileSync, readlinkSync, write } from "node:fs";
import { isatty } from "node:tty";
import { OutputFailure, type OutputSink } from "./output-lines.ts";

const STDOUT = 1;
/** Larger than any batch, so that a batch is one system call (measured: one `pwritev2` for each flush). */
const BUFFER_BYTES = 1024 * 1024;
const O_CLOEXEC = 0o2000000;

/** What standard output is, as far as the evidence is concerned. */
export type OutputKind =
  /** A pipe, socket or terminal: it can be slow, and it can close. */
  | "stream"
  /** A file or another device: it can be full. */
  | "file"
  /** `/dev/null`, by somebody's wish. */
  | "discarded"
  /** The process was started without a standard output. Bun puts `/dev/null` there, where every write succeeds. */
  | "closed";

/**
 * Looks at standard output as the process was started with it. Needs `/proc`, as the runtime does.
 *
 * A descriptor that came from the parent cannot be close-on-exec, or it would have been closed: that tells the `/dev/null` that the
 * runtime opened from one that was given.
 */
export function inspectStandardOutput(): OutputKind {
  const stat = fstatSync(STDOUT);
  if (readlinkSync(`/proc/self/fd/${STDOUT}`) === "/dev/null") {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${STDOUT}`, "utf8"))?.[1];
    return (Number.parseInt(flags ?? "0", 8) & O_CLOEXEC) === 0 ? "discarded" : "closed";
  }
  return stat.isFile() || (stat.isCharacterDevice() && !isatty(STDOUT)) ? "file" : "stream";
}

/**
 * Standard output as a sink. Nothing else in the process may write to it: on a stream the sink makes the shared file description
 * non-blocking, and two writers would interleave.
 */
export function openStandardOutput(kind: OutputKind): OutputSink {
  return kind === "stream" ? openStream() : openFile();
}

/** Bun's file sink waits for a full pipe without a thread and without blocking the event loop. */
function openStream(): OutputSink {
  const writer = Bun.stdout.writer({ highWaterMark: BUFFER_BYTES });
  return {
    send: (text) => {
      const accepted = writer.write(text);
      // A batch over the buffer's size; what becomes of it, flush tells.
      if (typeof accepted !== "number") accepted.catch(() => undefined);
      const flushed = writer.flush();
      return typeof flushed === "number" ? undefined : flushed.then(() => undefined);
    },
  };
}

/** By the thread pool, one write at a time: a disk that hangs does not block the loop, and a full one tells how much it took. */
function openFile(): OutputSink {
  return {
    send: async (text) => {
      const bytes = Buffer.from(text);
      let sent = 0;
      while (sent < bytes.byteLength) sent += await writeSome(bytes, sent);
    },
  };
}

function writeSome(bytes: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(STDOUT, bytes, offset, bytes.byteLength - offset, null, (error, written) => {
      if (error === null) resolve(written);
      else reject(new OutputFailure(offset, error));
    });
  });
}
