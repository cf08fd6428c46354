import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "./contender.ts";
import { cpuSeconds } from "./machine.ts";
import type { AskedRequest } from "./requests.ts";

/** A list of requests that are sent in turn; each run goes on where the one before stopped. */
export interface Workload {
  readonly script: string;
  sent: number;
}

/** What one run of load showed. Times in microseconds; NaN is what could not be measured. */
export interface Figures {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Answered with another status than 2xx, or not at all. */
  readonly failed: number;
}

export interface Drive {
  readonly connections: number;
  readonly seconds: number;
}

export function requireWrk(): void {
  if (Bun.which("wrk") === null) throw new Error("wrk is needed: apt-get install wrk, or brew install wrk");
}

export function writeWorkload(folder: string, name: string, requests: readonly AskedRequest[]): Workload {
  const list = join(folder, name);
  const script = `${list}.lua`;
  const body = requests[0]?.body ?? "";
  writeFileSync(list, requests.map(({ path, jwt }) => `${path} ${jwt}`).join("\n"));
  writeFileSync(
    script,
    `local requests, n = {}, 0
function init(arguments)
  n = tonumber(arguments[1])
  for line in io.lines(${JSON.stringify(list)}) do
    local path, token = line:match("(%S+) (%S+)")
    requests[#requests + 1] = wrk.format("POST", path, { ["Authorization"] = "Bearer " .. token, ["Host"] = "bridge", ["Content-Length"] = "${body.length}" }, ${JSON.stringify(body)})
  end
end
function request() n = n + 1; return requests[n % #requests + 1] end
`,
  );
  return { script, sent: 0 };
}

export async function drive(contender: Contender, workload: Workload, how: Drive): Promise<Figures> {
  const { pid } = contender;
  const before = cpuSeconds(pid);
  const text = await runWrk(contender, workload, how);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  workload.sent += requests;
  const errors = [...text.matchAll(/(?:connect|read|write|timeout) (\d+)/g)].map(([, count]) => Number(count));
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    cpuUs: requests > 0 ? ((cpuSeconds(pid) - before) / requests) * 1e6 : Number.NaN,
    p50Us: microseconds(/^\s+50%\s+(\S+)/m.exec(text)?.[1]),
    p99Us: microseconds(/^\s+99%\s+(\S+)/m.exec(text)?.[1]),
    failed: errors.reduce((sum, count) => sum + count, Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)),
  };
}

function runWrk({ port }: Contender, { script, sent }: Workload, { connections, seconds }: Drive): Promise<string> {
  const command = ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--timeout=10s", "--latency", "-s", script];
  return new Response(
    Bun.spawn([...command, `http://127.0.0.1:${port}`, "--", String(sent)], { stdout: "pipe" }).stdout,
  ).text();
}

const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };

/** wrk's `1.02ms`. */
function microseconds(text = ""): number {
  const [, number, unit = ""] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}
