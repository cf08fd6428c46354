import type { TLSSocket } from "node:tls";
import type { Fault } from "../lists.ts";
import { openFront, type Certificates, type Connection, type Front } from "./front.ts";
import { answerOf, type TrueAnswer } from "./http-answers.ts";

export interface HttpFrontOptions {
  readonly certificates: Certificates;
  /** What stands behind. */
  readonly answer: (request: Request) => Promise<Response>;
  /** Which requests a fault befalls, where it does not befall the connection. Default: all. */
  readonly concerns?: (request: Request) => boolean;
  /** A body whose fields have another type than documented. */
  readonly wrongType: string;
  /** How long a reply may be for the service to read it. */
  readonly longestBytes: number;
  /** Kind of body that errors have. */
  readonly errorBody: (status: number, name: Fault) => string;
}

export interface HttpFront extends Front {
  readonly url: string;
  /** Requests that a fault could befall. */
  readonly asked: number;
}

const CRLF = "\r\n";

/** An upstream that speaks HTTP/1.1, and can do so wrongly in every way there is. */
export async function openHttpFront(options: HttpFrontOptions): Promise<HttpFront> {
  let asked = 0;
  const front = await openFront(options.certificates, (connection) => {
    serveRequests(connection.socket, async (request) => {
      const isConcerned = options.concerns?.(request) ?? true;
      if (isConcerned) asked += 1;
      const fault = isConcerned ? front.fault() : undefined;
      const answer = answerOf(fault, options);
      return answer.kind === "complete"
        ? answer.text
        : perform(connection, answer.fault, await truth(options, request));
    });
  });
  return Object.defineProperties(front as HttpFront, {
    url: { value: `https://127.0.0.1:${front.port}` },
    asked: { get: () => asked },
  });
}

async function truth({ answer }: HttpFrontOptions, request: Request): Promise<TrueAnswer> {
  const response = await answer(request);
  const body = Buffer.from(await response.arrayBuffer());
  const own = new Set(["connection", "content-length", "content-encoding", "transfer-encoding", "keep-alive"]);
  const headers = [...response.headers].filter(([name]) => !own.has(name));
  const lines = [
    `HTTP/1.1 ${response.status} Something`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.byteLength}`,
  ];
  return { head: lines.join(CRLF) + CRLF + CRLF, body };
}

/** The true answer, brought over as the fault has it. Undefined: nothing more is to be written. */
async function perform(
  { socket, reset }: Connection,
  fault: Fault | undefined,
  { head, body }: TrueAnswer,
): Promise<Buffer | undefined> {
  const half = body.subarray(0, Math.floor(body.byteLength / 2));
  switch (fault) {
    case "hang":
      return undefined;
    case "slow drip":
      socket.write(head);
      void drip(socket, body);
      return undefined;
    case "reset mid-body":
    case "truncated":
      await new Promise<void>((resolve) => socket.write(Buffer.concat([Buffer.from(head), half]), () => resolve()));
      // The half must be on its way before the end is.
      await Bun.sleep(5);
      if (fault === "truncated") socket.end();
      else reset();
      return undefined;
    default:
      return Buffer.concat([Buffer.from(head), body]);
  }
}

async function drip(socket: TLSSocket, body: Buffer): Promise<void> {
  for (const byte of body) {
    if (socket.destroyed) return;
    socket.write(Uint8Array.of(byte));
    await Bun.sleep(25);
  }
}

/** Requests with a length or without a body, one after the other. */
function serveRequests(
  socket: TLSSocket,
  answer: (request: Request) => Promise<string | Uint8Array | undefined>,
): void {
  const inTurn = async (before: Promise<void>, request: Request): Promise<void> => {
    await before;
    // Rejected when what stands behind is gone already: the cell is over.
    const bytes = await answer(request).catch(() => undefined);
    if (bytes !== undefined && socket.writable) socket.write(bytes);
  };
  let received = Buffer.alloc(0);
  let turn = Promise.resolve();
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const parsed = parseRequest(received);
      if (parsed === undefined) return;
      received = parsed.rest;
      turn = inTurn(turn, parsed.request);
    }
  });
}

function parseRequest(bytes: Buffer): { readonly request: Request; readonly rest: Buffer<ArrayBuffer> } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [line = "", ...lines] = bytes.subarray(0, end).toString("latin1").split(CRLF);
  const headers = new Headers(
    lines.map((one): [string, string] => [
      one.slice(0, one.indexOf(":")).trim(),
      one.slice(one.indexOf(":") + 1).trim(),
    ]),
  );
  const length = Number(headers.get("content-length") ?? "0");
  const start = end + 4;
  if (bytes.byteLength < start + length) return undefined;
  const [method = "", path = ""] = line.split(" ");
  const body = Buffer.from(bytes.subarray(start, start + length));
  headers.delete("host");
  headers.delete("connection");
  headers.delete("content-length");
  return {
    request: new Request(`http://upstream${path}`, { method, headers, ...(length === 0 ? {} : { body }) }),
    rest: Buffer.from(bytes.subarray(start + length)),
  };
}
