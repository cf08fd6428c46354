import { pipeline, Readable, Transform } from "node:stream";

/** The largest reply is a secret of 64 KiB, six times as long when every character is escaped. */
const MAX_BYTES = 1024 * 1024;

/** Nearer to the wire than the SDK's own deserializer, which would read a reply of any size. */
export const REPLY_LIMIT_PLACE = { step: "deserialize", priority: "low", name: "replyLimit" } as const;

/** SDK middleware that gives up on replies over 1 MiB with an error named `ReplyTooLarge`. */
export function replyLimit<Arguments, Result extends { readonly response: unknown }>(
  next: (args: Arguments) => Promise<Result>,
): (args: Arguments) => Promise<Result> {
  return async (args) => {
    const result = await next(args);
    if (hasBody(result.response)) result.response.body = bounded(result.response.body);
    return result;
  };
}

function hasBody(response: unknown): response is { body: Readable } {
  return typeof response === "object" && response !== null && "body" in response && response.body instanceof Readable;
}

function bounded(body: Readable): Readable {
  let size = 0;
  const limit = new Transform({
    transform: (chunk: Uint8Array, _encoding, done) => {
      size += chunk.byteLength;
      if (size <= MAX_BYTES) done(null, chunk);
      else done(Object.assign(new Error("the reply is too large"), { name: "ReplyTooLarge" }));
    },
  });
  // Without a callback pipeline would throw; the error itself reaches whoever reads `limit`.
  return pipeline(body, limit, () => undefined);
}
