import type { OutputSink } from "./output-lines.ts";

/** Larger than any batch, so that a batch is one system call (measured: one `pwritev2` for each flush). */
const BUFFER_BYTES = 1024 * 1024;

/**
 * Standard output as a sink. Nothing else in the process may write to it: the sink makes the shared file description non-blocking, and
 * two writers would interleave.
 */
export function openStandardOutput(): OutputSink {
  const writer = Bun.stdout.writer({ highWaterMark: BUFFER_BYTES });
  return { write: (text) => void writer.write(text), flush: () => writer.flush() };
}
