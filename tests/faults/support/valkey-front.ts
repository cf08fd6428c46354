import { connect } from "node:net";
import { startMemoryServer, type MemoryServer } from "../../support/valkey/memory-server.ts";
import type { Reply } from "../../support/valkey/resp.ts";
import type { Fault } from "../lists.ts";
import { openFront, type Certificates, type Connection, type Front } from "./front.ts";
import { BODY_CANARY } from "./canaries.ts";

export interface ValkeyFront extends Front {
  readonly server: MemoryServer;
}

/** A Valkey behind a front that can garble what it says. */
export async function openValkeyFront(certificates: Certificates): Promise<ValkeyFront> {
  let front: Front | undefined;
  const server = await startMemoryServer({ answer: ([name = ""]) => answerOf(front?.fault(), name) });
  front = await openFront(certificates, (connection) => relay(connection, server.port, () => front?.fault()));
  const close = front[Symbol.asyncDispose];
  return Object.defineProperties(front as ValkeyFront, {
    server: { value: server },
    [Symbol.asyncDispose]: {
      value: async () => {
        await close();
        await server[Symbol.asyncDispose]();
      },
    },
  });
}

/** What a server that is there answers, in its own words. */
function answerOf(fault: Fault | undefined, command: string): Reply | undefined {
  const isHandshake = command === "HELLO" || command === "AUTH" || command === "CLIENT" || command === "PING";
  switch (fault) {
    case "wrongpass":
      return { raw: "-WRONGPASS invalid username-password pair or user is disabled." };
    case "loading":
      return { raw: "-LOADING Redis is loading the dataset in memory" };
    case "noperm":
      return isHandshake ? undefined : { raw: `-NOPERM this user has no permissions to run '${command}'` };
    case "readonly":
      return command === "SET" ? { raw: "-READONLY You can't write against a read only replica." } : undefined;
    case "out of memory":
      return command === "SET" ? { raw: "-OOM command not allowed when used memory > 'maxmemory'." } : undefined;
    case "reply of another type":
      return isHandshake ? undefined : ["unexpected", BODY_CANARY, 7];
    case "over-long value":
      return command === "GET" ? Buffer.alloc(8 * 1024 * 1024, BODY_CANARY) : undefined;
    default:
      return undefined;
  }
}

function relay({ socket, reset }: Connection, port: number, fault: () => Fault | undefined): void {
  const server = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  server.on("error", () => socket.destroy());
  socket.pipe(server);
  socket.on("close", () => server.destroy());
  server.on("close", () => socket.end());
  server.on("data", (chunk: Buffer) => {
    const half = chunk.subarray(0, Math.ceil(chunk.byteLength / 2));
    switch (fault()) {
      case "hang":
        return;
      case "slow drip":
        return void drip(socket, chunk);
      case "garbage":
        return void socket.write(`\u0000\u0001 ${BODY_CANARY} is not RESP\r\n`);
      case "reset mid-body":
        return void socket.write(half, () => setTimeout(reset, 2));
      case "truncated":
        return void socket.end(half);
      default:
        socket.write(chunk);
    }
  });
}

async function drip(socket: Connection["socket"], bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return;
    socket.write(Uint8Array.of(byte));
    await Bun.sleep(100);
  }
}
