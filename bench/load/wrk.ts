import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cpuSeconds } from "./machine.ts";
import type { Contender } from "./contender.ts";

/** A list of requests that are sent in turn, from another place in it by each thread. */
export interface Workload {
  readonly script: string;
}

export interface AskedRequest {
  readonly path: string;
  readonly jwt: string;
  readonly body?: string;
}

/** What one run of load showed. Times in microseconds. */
export interface Figures {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly failed: number;
}

export function requireWrk(): void {
  if (Bun.which("wrk") === null) throw new Error("wrk is needed: apt-get install wrk, or brew install wrk");
}

export function writeWorkload(folder: string, name: string, requests: readonly AskedRequest[]): Workload {
  const list = join(folder, name);
  const script = `${list}.lua`;
  const [{ path, body = "" } = { path: "/" }] = requests;
  writeFileSync(list, requests.map(({ jwt }) => jwt).join("\n"));
  writeFileSync(
    script,
    `local requests, n, thread = {}, 0, 0
function setup(t) t:set("start", thread * 7919); thread = thread + 1 end
function init()
  for token in io.lines(${JSON.stringify(list)}) do
    requests[#requests + 1] = wrk.format("POST", ${JSON.stringify(path)}, { ["Authorization"] = "Bearer " .. token, ["Host"] = "bridge", ["Content-Length"] = "${body.length}" }, ${JSON.stringify(body)})
  end
  n = start
end
function request() n = n + 1; return requests[n % #requests + 1] end
`,
  );
  return { script };
}

export async function drive(
  { port, pid }: Contender,
  { script }: Workload,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<Figures> {
  const before = cpuSeconds(pid);
  const command = ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "-s", script];
  const text = await new Response(
    Bun.spawn([...command, `http://127.0.0.1:${port}`], { stdout: "pipe" }).stdout,
  ).text();
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    cpuUs: ((cpuSeconds(pid) - before) / requests) * 1e6,
    p50Us: microseconds(/50%\s+(\S+)/.exec(text)?.[1]),
    p99Us: microseconds(/99%\s+(\S+)/.exec(text)?.[1]),
    failed: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
  };
}

const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };

/** wrk's `1.02ms`. */
function microseconds(text = ""): number {
  const [, number, unit = ""] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}
