import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { CommandParser, encodeReply, type Reply } from "./resp.ts";

/** The answer that never comes. */
export const SILENCE = Symbol("silence");

const OK: Reply = { raw: "+OK" };
const WRONGPASS: Reply = { raw: "-WRONGPASS invalid username-password pair or user is disabled." };

export interface MemoryServerOptions {
  /** Absent: plain TCP. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly maxVersion?: "TLSv1.1" | "TLSv1.2" };
  /** Says what is wrong with a password, undefined when it is good. Absent: no authentication. */
  readonly authenticate?: (user: string, password: string) => string | undefined;
  /** Cuts a connection this long after it last authenticated, as AWS does after 12 hours. */
  readonly cutAfterMs?: number;
  /** False: `AUTH` on a live connection is answered but does not postpone the cut. */
  readonly authPostponesCut?: boolean;
  /** Answers a command in another way: a reply, `SILENCE` for none at all, undefined for the usual one. */
  readonly answer?: (command: readonly string[], connection: MemoryConnection) => Reply | typeof SILENCE | undefined;
}

export interface MemoryConnection {
  readonly id: number;
  readonly socket: Socket;
}

/** A server in this process that speaks as much of the protocol as clients need, and that tests can be rude with. */
export interface MemoryServer extends AsyncDisposable {
  readonly port: number;
  readonly entries: Map<string, { readonly value: Buffer; readonly expiresAtMs: number | undefined }>;
  /** Each command but those that authenticate, in upper case its name. */
  readonly commands: (readonly string[])[];
  /** Passwords that were accepted, and what was wrong with the others. */
  readonly accepted: string[];
  readonly rejected: string[];
  readonly cuts: number;
  readonly open: number;
  readonly connected: number;
  readonly cutAll: () => void;
  /** Reads and answers nothing until `resume`, and then everything, in order: a process that is stopped. */
  readonly pause: () => void;
  readonly resume: () => void;
}

export async function startMemoryServer(options: MemoryServerOptions = {}): Promise<MemoryServer> {
  const sockets = new Set<Socket>();
  let paused = false;
  const state = { entries: new Map(), commands: [], accepted: [], rejected: [], cuts: 0, connected: 0 } as {
    -readonly [Name in "entries" | "commands" | "accepted" | "rejected" | "cuts" | "connected"]: MemoryServer[Name];
  };
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    if (paused) socket.pause();
    state.connected += 1;
    socket.on("close", () => sockets.delete(socket));
    serve(socket, options, state);
  };
  const server: Server = options.tls === undefined ? createPlainServer() : createTlsServer(options.tls);
  server.on(options.tls === undefined ? "connection" : "secureConnection", accept);
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());
  return Object.defineProperties(state as unknown as MemoryServer, {
    port: { value: (server.address() as AddressInfo).port },
    open: { get: () => sockets.size },
    cutAll: { value: cutAll },
    pause: {
      value: () => {
        paused = true;
        sockets.forEach((socket) => socket.pause());
      },
    },
    resume: {
      value: () => {
        paused = false;
        sockets.forEach((socket) => socket.resume());
      },
    },
    [Symbol.asyncDispose]: {
      value: async () => {
        cutAll();
        await new Promise((resolve) => server.close(resolve));
      },
    },
  });
}

type State = Pick<MemoryServer, "entries" | "commands" | "accepted" | "rejected"> & { cuts: number; connected: number };

function serve(socket: Socket, options: MemoryServerOptions, state: State): void {
  const parser = new CommandParser();
  const connection: MemoryConnection = { id: state.connected, socket };
  let protocol: 2 | 3 = 2;
  let authenticated = options.authenticate === undefined;
  let cutTimer: ReturnType<typeof setTimeout> | undefined;
  let queue: (readonly Buffer[])[] | undefined;

  const cut = (): void => {
    state.cuts += 1;
    socket.destroy();
  };
  const authenticate = (user: string, password: string): boolean => {
    const problem = options.authenticate?.(user, password);
    if (problem !== undefined) {
      state.rejected.push(problem);
      return false;
    }
    state.accepted.push(password);
    authenticated = true;
    if (options.cutAfterMs !== undefined && (cutTimer === undefined || options.authPostponesCut !== false)) {
      clearTimeout(cutTimer);
      cutTimer = setTimeout(cut, options.cutAfterMs);
    }
    return true;
  };
  const reply = (parts: readonly Buffer[]): Reply | typeof SILENCE => {
    const command = parts.map((part) => part.toString());
    const name = (command[0] ?? "").toUpperCase();
    if (name !== "HELLO" && name !== "AUTH") state.commands.push([name, ...command.slice(1)]);
    const special = options.answer?.([name, ...command.slice(1)], connection);
    if (special !== undefined) return special;
    if (name === "HELLO") {
      const auth = command.findIndex((word) => word.toUpperCase() === "AUTH");
      if (auth > 0 && !authenticate(command[auth + 1] ?? "", command[auth + 2] ?? "")) return WRONGPASS;
      if (!authenticated) return { raw: "-NOAUTH HELLO must be called with the client already authenticated" };
      protocol = command[1] === "3" ? 3 : 2;
      return hello(protocol);
    }
    if (name === "AUTH") {
      const [user, password] = command.length > 2 ? [command[1], command[2]] : ["default", command[1]];
      return authenticate(user ?? "", password ?? "") ? OK : WRONGPASS;
    }
    return authenticated ? run(name, parts) : { raw: "-NOAUTH Authentication required." };
  };
  // What is watched counts as untouched: nobody here is so quick.
  const run = (name: string, parts: readonly Buffer[]): Reply => {
    if (name === "MULTI") {
      queue = [];
      return OK;
    }
    if (queue === undefined) return execute(name, parts, state);
    if (name !== "EXEC") {
      queue.push(parts);
      return { raw: "+QUEUED" };
    }
    const queued = queue;
    queue = undefined;
    return queued.map((one) => execute((one[0] ?? "").toString().toUpperCase(), one, state));
  };
  socket.on("error", () => undefined);
  socket.on("close", () => clearTimeout(cutTimer));
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const parts of parser.push(chunk)) {
        const answer = reply(parts);
        if (answer !== SILENCE && socket.writable) socket.write(encodeReply(answer, protocol));
      }
    } catch {
      socket.end("-ERR Protocol error\r\n");
    }
  });
}

function hello(protocol: 2 | 3): Reply {
  const fields: Reply[] = [
    "server",
    "valkey",
    "version",
    "8.0.0",
    "proto",
    protocol,
    "id",
    1,
    "mode",
    "standalone",
    "role",
    "master",
    "modules",
    [],
  ];
  return protocol === 2
    ? fields
    : { raw: `%7\r\n${fields.map((field) => encodeReply(field, 3).toString()).join("")}`.trimEnd() };
}

function execute(name: string, parts: readonly Buffer[], { entries }: State): Reply {
  const [key = "", ...rest] = parts.slice(1).map((part) => part.toString());
  const entry = entries.get(key);
  const live = entry !== undefined && (entry.expiresAtMs ?? Infinity) > Date.now() ? entry : undefined;
  switch (name) {
    case "PING":
      return { raw: "+PONG" };
    case "GET":
      return live?.value ?? null;
    case "PTTL":
      if (live === undefined) return -2;
      return live.expiresAtMs === undefined ? -1 : Math.ceil(live.expiresAtMs - Date.now());
    case "DEL":
      return entries.delete(key) && live !== undefined ? 1 : 0;
    case "SET": {
      const words = rest.map((word) => word.toUpperCase());
      const seconds = words.indexOf("EX");
      const milliseconds = words.indexOf("PX");
      const lifeMs =
        seconds > 0 ? Number(rest[seconds + 1]) * 1000 : milliseconds > 0 ? Number(rest[milliseconds + 1]) : undefined;
      const returnOld = words.includes("GET");
      if (words.includes("NX") && live !== undefined) return returnOld ? live.value : null;
      entries.set(key, {
        value: parts[2] ?? Buffer.alloc(0),
        expiresAtMs: lifeMs === undefined ? undefined : Date.now() + lifeMs,
      });
      return returnOld ? (live?.value ?? null) : OK;
    }
    case "CLIENT":
    case "SELECT":
    case "WATCH":
    case "UNWATCH":
      return OK;
    case "INFO":
      return "# Server\r\nredis_version:7.2.4\r\nloading:0\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n";
    default:
      return { raw: `-ERR unknown command '${name}'` };
  }
}
