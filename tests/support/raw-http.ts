/** What came back over one connection, undigested: fetch would normalise paths and headers on the way. */
export interface RawReply {
  /** Of the first reply; 0 when there was none. */
  readonly status: number;
  readonly text: string;
  /** How many replies there were. */
  readonly replies: number;
}

/** Sends bytes as they are and reads until the peer closes or `quietMs` pass without a byte. */
export async function sendRaw(port: number, request: string | readonly string[], quietMs = 300): Promise<RawReply> {
  const parts = typeof request === "string" ? [request] : request;
  const ended = Promise.withResolvers<void>();
  let text = "";
  let timer = setTimeout(ended.resolve, quietMs);
  const rearm = () => {
    clearTimeout(timer);
    timer = setTimeout(ended.resolve, quietMs);
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_socket, bytes) => {
        text += bytes.toString("latin1");
        rearm();
      },
      close: () => ended.resolve(),
      error: () => ended.resolve(),
    },
  });
  for (const part of parts) {
    socket.write(Buffer.from(part, "latin1"));
    socket.flush();
    if (parts.length > 1) await Bun.sleep(20);
    rearm();
  }
  await ended.promise;
  clearTimeout(timer);
  socket.end();
  // Not at line starts alone: a second reply follows the first one's body directly. 100 Continue is no reply.
  const replies = text.match(/HTTP\/1\.1 [2-9]\d\d/g) ?? [];
  return { status: Number(replies[0]?.slice(9) ?? 0), text, replies: replies.length };
}
