/** What came back over one connection, undigested: fetch would normalise paths and headers on the way. */
export interface RawReply {
  /** Of the first reply; 0 when there was none. */
  readonly status: number;
  readonly text: string;
  /** How many replies there were. */
  readonly replies: number;
}

const QUIET_MS = 300;
const FIRST_BYTE_MS = 5000;

/**
 * Sends bytes as they are and reads until the peer closes or `quietMs` pass without a byte. Who gives less than the default is sure of a
 * reply: its first byte may take `FIRST_BYTE_MS`, as it does on a busy machine.
 */
export async function sendRaw(
  port: number,
  request: string | readonly string[],
  quietMs = QUIET_MS,
): Promise<RawReply> {
  const patienceMs = (): number => (text === "" && quietMs < QUIET_MS ? FIRST_BYTE_MS : quietMs);
  const parts = typeof request === "string" ? [request] : request;
  const ended = Promise.withResolvers<void>();
  let text = "";
  let timer = setTimeout(ended.resolve, patienceMs());
  const rearm = () => {
    clearTimeout(timer);
    timer = setTimeout(ended.resolve, patienceMs());
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
