import { createServer } from "node:net";
import { join } from "node:path";
import { memoryMiB, onServerCores, processTree } from "./machine.ts";

/** A server under load. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly idleMiB: number;
  /** Lines of its standard output, as they come: a few, or all. */
  readonly lines: string[];
}

export interface StartOptions {
  /** Keep every line instead of few: for loads so light that reading them costs nothing. */
  readonly keepAll?: boolean;
  readonly cores?: string;
}

const BINARY = join(import.meta.dir, "../../dist/chinmina-bridge");
/** One chunk in so many is looked at: reading must cost little, or it would be measured. */
const SAMPLE_EVERY = 10;
const READY_MS = 30_000;
const SETTLE_MS = 1500;

export type Environment = Readonly<Record<string, string>>;

/** The compiled binary. `environment`: its whole configuration but the address. */
export function startBinary(name: string, environment: Environment, options?: StartOptions): Promise<Contender> {
  return startServer(name, [BINARY, "serve"], environment, options);
}

/** Another server of the same contract: what a shell makes of `command`, with the same environment. */
export function startPeer(command: string, environment: Environment, options?: StartOptions): Promise<Contender> {
  return startServer("peer", ["sh", "-c", command], environment, options);
}

export interface FloorTexts {
  readonly reply: string;
  readonly gitReply: string;
  readonly line: string;
}

/** The bare server that does nothing but what no server can leave out: the same replies, a line of the same length. */
export function startFloor({ reply, gitReply, line }: FloorTexts): Promise<Contender> {
  const command = [process.execPath, join(import.meta.dir, "floor.ts")];
  return startServer("floor", command, { FLOOR_REPLY: reply, FLOOR_GIT_REPLY: gitReply, FLOOR_LINE: line });
}

async function startServer(
  name: string,
  command: readonly string[],
  environment: Environment,
  { keepAll = false, cores }: StartOptions = {},
): Promise<Contender> {
  const port = await freePort();
  const child = Bun.spawn(onServerCores(command, cores), {
    env: { PATH: process.env["PATH"] ?? "", SERVER_HOST: "127.0.0.1", SERVER_PORT: String(port), ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines: string[] = [];
  void readLines(child.stdout, lines, keepAll ? 1 : SAMPLE_EVERY);
  await untilAnswering(name, child, port, 10);
  await Bun.sleep(SETTLE_MS);
  return {
    name,
    port,
    pid: child.pid,
    idleMiB: memoryMiB(child.pid, "VmRSS"),
    lines,
    [Symbol.asyncDispose]: async () => {
      await killTree(child);
    },
  };
}

/** Its output must be read, or it would stop. */
async function readLines(stream: ReadableStream<Uint8Array>, lines: string[], every: number): Promise<void> {
  const decoder = new TextDecoder();
  let count = 0;
  let rest = "";
  for await (const chunk of stream) {
    if (++count % every !== 0) continue;
    const parts = (rest + decoder.decode(chunk)).split("\n");
    rest = every === 1 ? (parts.pop() ?? "") : "";
    const whole = parts.filter((line) => line.startsWith("{") && line.endsWith("}"));
    lines.push(...(every === 1 ? whole : whole.slice(0, 1)));
  }
}

/** Looks so often, in milliseconds. Throws when the server ends, or does not answer in half a minute. */
export async function untilAnswering(
  name: string,
  child: Bun.Subprocess,
  port: number,
  everyMs: number,
): Promise<void> {
  const endMs = performance.now() + READY_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode} before it listened`);
    if (performance.now() > endMs) throw new Error(`${name} does not listen`);
    await Bun.sleep(everyMs);
  }
}

/** With what it has started: a peer may be a shell script. */
export async function killTree(child: Bun.Subprocess): Promise<void> {
  for (const pid of processTree(child.pid)) process.kill(pid, "SIGKILL");
  await child.exited;
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthcheck`)).status === 200;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
