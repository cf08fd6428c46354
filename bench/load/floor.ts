/**
 * The floor that figures are compared with: a bare Bun.serve that answers with the same bytes and writes a line of the same length for
 * each request before it answers, and does nothing else.
 */
const { FLOOR_REPLY: reply = "", FLOOR_GIT_REPLY: gitReply = "", FLOOR_LINE: line = "" } = process.env;
const NO_STORE = { "cache-control": "no-store", "x-request-id": "5f0c6a3e-7d0b-4c19-a8c5-0c1f0a6f2b11" };
const JSON_HEADERS = { "content-type": "application/json", ...NO_STORE };
const TEXT_HEADERS = { "content-type": "text/plain", ...NO_STORE };
const sink = Bun.stdout.writer({ highWaterMark: 1024 * 1024 });
let waiting: PromiseWithResolvers<void> | undefined;
let lines = "";

function write(): Promise<void> {
  lines += line;
  if (waiting === undefined) {
    const batch = (waiting = Promise.withResolvers());
    setImmediate(() => void leave(batch));
  }
  return waiting.promise;
}

async function leave(batch: PromiseWithResolvers<void>): Promise<void> {
  const text = lines;
  lines = "";
  waiting = undefined;
  void sink.write(text);
  await sink.flush();
  batch.resolve();
}

Bun.serve({
  port: Number(process.env["SERVER_PORT"]),
  hostname: "127.0.0.1",
  development: false,
  fetch: async ({ url }) => {
    await write();
    return url.endsWith("/git-credentials")
      ? new Response(gitReply, { headers: TEXT_HEADERS })
      : new Response(reply, { headers: JSON_HEADERS });
  },
});
