import { createServer } from "node:net";
import { join } from "node:path";
import { memoryMiB } from "./machine.ts";

/** A server under load. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly idleMiB: number;
  /** Every so many-th line of its standard output, as they come. */
  readonly samples: readonly string[];
}

const BINARY = join(import.meta.dir, "../../dist/chinmina-bridge");
const SAMPLE_EVERY = 100;
const READY_MS = 20_000;
const SETTLE_MS = 1500;

export type Environment = Readonly<Record<string, string>>;

/** The compiled binary. `environment`: its whole configuration but the address. */
export function startBinary(name: string, environment: Environment): Promise<Contender> {
  return startServer(name, [BINARY, "serve"], environment);
}

/** Another server of the same contract, started by a shell with the same environment. */
export function startPeer(command: string, environment: Environment): Promise<Contender> {
  return startServer("peer", ["sh", "-c", `exec ${command}`], environment);
}

/** The bare server that does nothing but what no server can leave out: the same reply, a line of the same length. */
export function startFloor(reply: string, line: string): Promise<Contender> {
  const command = [process.execPath, join(import.meta.dir, "floor.ts")];
  return startServer("floor", command, { FLOOR_REPLY: reply, FLOOR_LINE: line });
}

async function startServer(name: string, command: readonly string[], environment: Environment): Promise<Contender> {
  const port = await freePort();
  const child = Bun.spawn([...command], {
    env: { PATH: process.env["PATH"] ?? "", SERVER_HOST: "127.0.0.1", SERVER_PORT: String(port), ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const samples: string[] = [];
  void sample(child.stdout, samples);
  const endMs = performance.now() + READY_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode} before it listened`);
    if (performance.now() > endMs) throw new Error(`${name} does not listen`);
    await Bun.sleep(10);
  }
  await Bun.sleep(SETTLE_MS);
  return {
    name,
    port,
    pid: child.pid,
    idleMiB: memoryMiB(child.pid, "VmRSS"),
    samples,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Its output must be read, or it would stop; reading must cost little, or it would be measured. */
async function sample(stream: ReadableStream<Uint8Array>, samples: string[]): Promise<void> {
  const decoder = new TextDecoder();
  let count = 0;
  for await (const chunk of stream) {
    if (++count % SAMPLE_EVERY !== 1) continue;
    const line = decoder.decode(chunk).split("\n")[1];
    if (line?.startsWith("{") === true && line.endsWith("}")) samples.push(line);
  }
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
