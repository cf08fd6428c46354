import type { FileHandle } from "node:fs/promises";

/** A file's first `maxBytes`, or all of it when it is shorter. A device has no end, and a pipe does not tell its size. */
export async function readBeginning(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(maxBytes);
  let length = 0;
  while (length < maxBytes) {
    const { bytesRead } = await file.read(buffer, length, maxBytes - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
