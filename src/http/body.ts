/** git's requests are a few hundred bytes; token routes ignore theirs. */
const MAX_BODY_BYTES = 20 * 1024;

export type Body =
  { readonly kind: "whole"; readonly bytes: Uint8Array } | { readonly kind: "too-large" } | { readonly kind: "gone" };

/**
 * Reads a request's body as `readStream` does; undefined where there is none. A small one whose length was announced comes in one piece: the
 * runtime lets nothing else through under that header. A stream for each request costs several times the rest of it, mostly garbage.
 */
export function readBody(request: Request): Promise<Body> | undefined {
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > 0 && length <= MAX_BODY_BYTES) return readWhole(request);
  return request.body === null ? undefined : readStream(request.body);
}

async function readWhole(request: Request): Promise<Body> {
  try {
    return { kind: "whole", bytes: await request.bytes() };
  } catch {
    return { kind: "gone" };
  }
}

/**
 * Reads a request's body to its end, keeping at most 20 KiB; what goes beyond is read and dropped, up to the server's own limit. Always
 * before any reply: when a chunked body turns out bad after our reply, Bun adds a second reply of its own, which behind a proxy's shared
 * connection would become the answer to somebody else's request.
 */
async function readStream(stream: ReadableStream<Uint8Array>): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.byteLength;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    return size > MAX_BODY_BYTES ? { kind: "too-large" } : { kind: "gone" };
  }
  // A trailer that Bun refuses arrives with the last chunk: in the same turn its own 400 must be able to come first, alone.
  await new Promise((resolve) => setImmediate(resolve));
  if (size > MAX_BODY_BYTES) return { kind: "too-large" };
  return { kind: "whole", bytes: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks) };
}
