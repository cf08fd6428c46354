/** Splits a client's byte stream into commands. Commands are arrays of bulk strings; anything else is an error. */
export class CommandParser {
  #pending = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[][] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const commands: Buffer[][] = [];
    for (let next = this.#take(); next !== undefined; next = this.#take()) commands.push(next);
    return commands;
  }

  #take(): Buffer[] | undefined {
    const header = readLine(this.#pending, 0, "*");
    if (header === undefined) return undefined;
    const parts: Buffer[] = [];
    let at = header.end;
    while (parts.length < header.count) {
      const bulk = readLine(this.#pending, at, "$");
      if (bulk === undefined || this.#pending.length < bulk.end + bulk.count + 2) return undefined;
      parts.push(Buffer.from(this.#pending.subarray(bulk.end, bulk.end + bulk.count)));
      at = bulk.end + bulk.count + 2;
    }
    this.#pending = this.#pending.subarray(at);
    return parts;
  }
}

function readLine(
  buffer: Buffer,
  at: number,
  kind: string,
): { readonly count: number; readonly end: number } | undefined {
  if (at < buffer.length && buffer[at] !== kind.charCodeAt(0)) throw new Error(`expected ${kind}`);
  const end = buffer.indexOf("\r\n", at);
  if (end === -1) return undefined;
  return { count: Number(buffer.toString("latin1", at + 1, end)), end: end + 2 };
}

export type Reply = Buffer | string | number | null | readonly Reply[] | { readonly raw: string };

/** A reply on the wire; `raw` goes out as it is, for errors (`-ERR ...`) and simple strings (`+OK`). */
export function encodeReply(reply: Reply, protocol: 2 | 3): Buffer {
  if (reply === null) return Buffer.from(protocol === 3 ? "_\r\n" : "$-1\r\n");
  if (typeof reply === "number") return Buffer.from(`:${reply}\r\n`);
  if (typeof reply === "string" || Buffer.isBuffer(reply)) {
    const bytes = Buffer.from(reply);
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
  }
  if ("raw" in reply) return Buffer.from(`${reply.raw}\r\n`);
  return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map((item) => encodeReply(item, protocol))]);
}
