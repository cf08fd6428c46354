import { describe, expect, test } from "bun:test";
import { openIdleConnections } from "../../../bench/load/idle-connections.ts";

function listen(answer: string, closesAfter: PromiseLike<void> | undefined) {
  return Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket) => {
        socket.write(answer);
        void closesAfter?.then(() => socket.end());
      },
    },
  });
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

describe("idle connections", () => {
  test("are open until they are disposed of", async () => {
    using server = listen(OK, undefined);
    using idle = await openIdleConnections(server.port, 60);
    expect(idle.assertOpen).not.toThrow();
  });

  test("that the server closes are found out", async () => {
    const closing = Promise.withResolvers<undefined>();
    using server = listen(OK, closing.promise);
    using idle = await openIdleConnections(server.port, 3);
    closing.resolve(undefined);
    const isFoundOut = async (): Promise<boolean> => {
      try {
        idle.assertOpen();
        await new Promise(setImmediate);
        return false;
      } catch {
        return true;
      }
    };
    while (!(await isFoundOut())) continue;
    expect(idle.assertOpen).toThrow(/of 3 idle connections were closed by the server/);
  });

  test("are not counted as open when they are answered otherwise", async () => {
    using server = listen("HTTP/1.1 503 Service Unavailable\r\n\r\n", undefined);
    const failure = await openIdleConnections(server.port, 1).catch(String);
    expect(failure).toContain("503");
  });
});
