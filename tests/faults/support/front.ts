import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Fault } from "../lists.ts";

export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What a front can show of itself. The client trusts the authority that issued all but the stranger's. */
export interface Certificates {
  readonly good: CertificatePair;
  readonly expired: CertificatePair;
  readonly otherName: CertificatePair;
  readonly stranger: CertificatePair;
}

/** Stands where an upstream is, in TLS on the loopback address, always on the same port. */
export interface Front extends AsyncDisposable {
  readonly port: number;
  /** From now on, for connections that exist and those to come. Undefined: it is as if the front were not there. */
  readonly setFault: (fault: Fault | undefined) => Promise<void>;
  readonly fault: () => Fault | undefined;
  /** Connections that arrived. One that is refused does not. */
  readonly connected: number;
}

const CERTIFICATE_OF: Partial<Record<Fault, keyof Certificates>> = {
  "expired certificate": "expired",
  "certificate of another name": "otherName",
  "certificate of a stranger": "stranger",
};

/** One decrypted connection; `reset` ends it in front, without a goodbye. */
export interface Connection {
  readonly socket: TLSSocket;
  readonly reset: () => void;
}

/** Below the ports that systems give to whoever asks for any: while a front refuses, nobody else gets its port. */
const FIRST_PORT = 12_000;
const PORTS = 20_000;

/** `serve` gets every decrypted connection. */
export async function openFront(certificates: Certificates, serve: (connection: Connection) => void): Promise<Front> {
  const sockets = new Set<Socket>();
  /** In front, by the port from which the connection behind it comes. */
  const fronts = new Map<number, Socket>();
  const terminators = new Map<keyof Certificates, Server>();
  let fault: Fault | undefined;
  let connected = 0;

  const terminatorOf = async (name: keyof Certificates): Promise<number> => {
    let terminator = terminators.get(name);
    if (terminator === undefined) {
      terminator = createTlsServer(certificates[name]);
      terminator.on("secureConnection", (socket: TLSSocket) => {
        const client = fronts.get(socket.remotePort ?? 0);
        serve({ socket, reset: () => client?.resetAndDestroy() });
      });
      terminator.on("tlsClientError", () => undefined);
      terminators.set(name, terminator);
      await listen(terminator, 0);
    }
    return portOf(terminator);
  };
  const join = async (client: Socket): Promise<void> => {
    const inner = connect(await terminatorOf((fault && CERTIFICATE_OF[fault]) ?? "good"), "127.0.0.1", () => {
      fronts.set(inner.localPort ?? 0, client);
      client.pipe(inner);
      inner.pipe(client);
    });
    inner.on("error", () => client.destroy());
    client.on("close", () => {
      fronts.delete(inner.localPort ?? 0);
      inner.destroy();
    });
  };
  const accept = (client: Socket): void => {
    connected += 1;
    sockets.add(client);
    client.on("close", () => sockets.delete(client));
    client.on("error", () => undefined);
    client.pause();
    void join(client);
  };
  await terminatorOf("good");
  let server = createServer(accept);
  let port = 0;
  while (port === 0) {
    const wanted = FIRST_PORT + Math.floor(Math.random() * PORTS);
    port = await listen(server, wanted).then(
      () => wanted,
      () => 0,
    );
  }

  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port,
    fault: () => fault,
    get connected() {
      return connected;
    },
    setFault: async (next) => {
      const wasRefusing = fault === "refuse";
      fault = next;
      // What is under way under the old state must not answer under the new one.
      cutAll();
      if (next === "refuse") await close(server);
      else if (wasRefusing) {
        server = createServer(accept);
        await listen(server, port);
      }
    },
    [Symbol.asyncDispose]: async () => {
      cutAll();
      await Promise.all([server, ...terminators.values()].map(close));
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
