import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "./contender.ts";
import type { AskedRequest } from "./requests.ts";

const ROOT = join(import.meta.dir, "../..");
const VEGETA = join(ROOT, ".tools/go/vegeta");

/** Installs the pinned vegeta (bench/load/vegeta) into `.tools`, once. Needs Go. */
export function installVegeta(): void {
  if (existsSync(VEGETA)) return;
  const installed = Bun.spawnSync(["go", "install", "tool"], {
    cwd: join(import.meta.dir, "vegeta"),
    env: { ...process.env, GOBIN: join(ROOT, ".tools/go") },
    stderr: "inherit",
  });
  if (!installed.success) throw new Error("vegeta could not be installed: it needs Go 1.24 or later");
}

/** One request of a load of constant rate. */
export interface Hit {
  /** When it was to be sent, in milliseconds since the epoch: it was later when as many as may be had no answer yet. */
  readonly intendedMs: number;
  /** From when it was to be sent to the end of the answer: what a client waits for, also when the load generator had to wait to send. */
  readonly latencyMs: number;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly hasRetryAfter: boolean;
  /** Counts from 0: the targets take turns in this order. */
  readonly sequence: number;
}

export interface Attack {
  readonly perSecond: number;
  readonly seconds: number;
}

export function writeTargets(
  folder: string,
  name: string,
  { port }: Pick<Contender, "port">,
  requests: readonly AskedRequest[],
): string {
  const file = join(folder, name);
  const lines = requests.map(({ path, jwt }) =>
    JSON.stringify({
      method: "POST",
      url: `http://127.0.0.1:${port}${path}`,
      header: { Authorization: [`Bearer ${jwt}`] },
    }),
  );
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

export function writeHealthTarget(folder: string, { port }: Pick<Contender, "port">): string {
  const file = join(folder, "health");
  writeFileSync(file, `${JSON.stringify({ method: "GET", url: `http://127.0.0.1:${port}/healthcheck` })}\n`);
  return file;
}

/** Sends the targets in turn at a constant rate, whatever becomes of those before: as many at once as that takes, up to 8,000. */
export async function attack(targets: string, { perSecond, seconds }: Attack): Promise<Hit[]> {
  const options = [
    `-targets=${targets}`,
    "-format=json",
    `-rate=${perSecond}/1s`,
    `-duration=${seconds}s`,
    "-workers=32",
    "-max-workers=8000",
    "-connections=8000",
    "-max-body=0",
    "-timeout=30s",
  ];
  const attacker = Bun.spawn([VEGETA, "attack", ...options, "-output", `${targets}.bin`], { stderr: "inherit" });
  if ((await attacker.exited) !== 0) throw new Error("vegeta failed");
  const encoder = Bun.spawn([VEGETA, "encode", "-to=csv", `${targets}.bin`], { stdout: "pipe", stderr: "inherit" });
  return fromIntendedStart(await readRows(encoder.stdout), perSecond);
}

interface Row extends Omit<Hit, "intendedMs"> {
  readonly sentMs: number;
}

async function readRows(stream: ReadableStream<Uint8Array>): Promise<Row[]> {
  const rows: Row[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) rows.push(readRow(line));
  }
  return rows;
}

/** Time sent, status, latency, ... sequence number, method, URL, headers; errors between them may have commas. */
function readRow(line: string): Row {
  const fields = line.split(",");
  const [sentNs, status, latencyNs] = fields.map(Number);
  const sequence = Number(fields.at(-4));
  const hasRetryAfter = /^retry-after: \S/im.test(Buffer.from(fields.at(-1) ?? "", "base64").toString());
  return {
    sentMs: (sentNs ?? 0) / 1e6,
    latencyMs: (latencyNs ?? 0) / 1e6,
    status: status ?? 0,
    sequence,
    hasRetryAfter,
  };
}

/** vegeta counts from when it got round to sending. The first that was sent on time tells when all of them should have been. */
function fromIntendedStart(rows: readonly Row[], perSecond: number): Hit[] {
  const everyMs = 1000 / perSecond;
  const startMs = rows.reduce((least, { sentMs, sequence }) => Math.min(least, sentMs - sequence * everyMs), Infinity);
  return rows.map(({ sentMs, latencyMs, ...row }) => {
    const intendedMs = startMs + row.sequence * everyMs;
    return { ...row, intendedMs, latencyMs: sentMs + latencyMs - intendedMs };
  });
}
