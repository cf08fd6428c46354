/**
 * The floor that figures are compared with: a bare Bun.serve that answers with the same bytes and writes a line of the same length for
 * each request before it answers, and does nothing else.
 */
const [reply = "", line = ""] = [process.env["FLOOR_REPLY"], process.env["FLOOR_LINE"]];
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
  fetch: async () => {
    await write();
    return new Response(reply, { headers: { "content-type": "application/json", "cache-control": "no-store" } });
  },
});
