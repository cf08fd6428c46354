/** Connections that were answered once and ask for nothing more. */
export interface IdleConnections extends Disposable {
  /** Throws when the server has closed any of them: what was measured meanwhile was then not beside so many. */
  readonly assertOpen: () => void;
}

const AT_ONCE = 50;

/** A server closes them when its idle timeout is over, so they are opened anew for each run of load, and not once for all. */
export async function openIdleConnections(port: number, number: number): Promise<IdleConnections> {
  const ended = { count: 0 };
  const sockets: Disposable[] = [];
  const left = Array.from({ length: number }).values();
  const loop = async (): Promise<void> => {
    for (const _one of left) sockets.push(await openOne(port, ended));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, loop));
  return {
    assertOpen: () => {
      if (ended.count > 0) throw new Error(`${ended.count} of ${number} idle connections were closed by the server`);
    },
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket[Symbol.dispose]();
    },
  };
}

/** Counts its end among those that `ended`. Rejects when its one request is not answered with 200. */
async function openOne(port: number, ended: { count: number }): Promise<Disposable> {
  const answered = Promise.withResolvers<string>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_socket, bytes) => answered.resolve(bytes.toString()),
      close: () => {
        ended.count += 1;
        answered.resolve("nothing");
      },
    },
  });
  socket.write("GET /healthcheck HTTP/1.1\r\nHost: bench\r\n\r\n");
  const [answer] = (await answered.promise).split("\r\n");
  if (answer !== "HTTP/1.1 200 OK") throw new Error(`an idle connection was answered with ${answer}`);
  return { [Symbol.dispose]: () => void socket.end() };
}
