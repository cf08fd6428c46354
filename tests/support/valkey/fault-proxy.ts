import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * - `pass`: hands everything on
 * - `black-hole`: connections stay open, new ones are accepted, and no byte arrives any more
 * - `reset`: connections end with a reset, new ones too
 */
export type Fault = "pass" | "black-hole" | "reset";

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** For connections that exist and those to come. */
  fault: Fault;
  /** How much later than it came each piece is handed on, in each direction. */
  latencyMs: number;
  /** Ends every connection with a reset, once. */
  readonly resetAll: () => void;
  /** The server's side goes away without the client's side being told. */
  readonly halfOpen: () => void;
  readonly accepted: number;
}

export async function startFaultProxy(target: number): Promise<FaultProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const state = { fault: "pass" as Fault, latencyMs: 0, accepted: 0 };
  const server = createServer((client) => {
    state.accepted += 1;
    client.on("error", () => undefined);
    if (state.fault === "reset") return void client.resetAndDestroy();
    const upstream = connect(target, "127.0.0.1");
    const pair = [client, upstream] as const;
    pairs.add(pair);
    forward(client, upstream);
    forward(upstream, client);
    upstream.on("error", () => client.destroy());
    for (const socket of pair) socket.on("close", () => pairs.delete(pair));
  });

  function forward(from: Socket, to: Socket): void {
    let turn = Promise.resolve();
    from.on("data", (chunk) => {
      if (state.fault === "black-hole") return;
      if (state.latencyMs === 0) return void (to.writable && to.write(chunk));
      const due = new Promise<void>((resolve) => setTimeout(resolve, state.latencyMs));
      turn = turn.then(() => due).then(() => void (to.writable && to.write(chunk)));
    });
    from.on("close", () => to.destroy());
  }

  const resetAll = (): void => {
    for (const [client] of pairs) client.resetAndDestroy();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
      if (fault === "reset") resetAll();
    },
    get latencyMs() {
      return state.latencyMs;
    },
    set latencyMs(latencyMs) {
      state.latencyMs = latencyMs;
    },
    get accepted() {
      return state.accepted;
    },
    resetAll,
    halfOpen: () => {
      for (const [client, upstream] of pairs) {
        upstream.removeAllListeners("close");
        upstream.destroy();
        client.removeAllListeners("data");
        client.on("data", () => undefined);
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const pair of pairs) pair.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
