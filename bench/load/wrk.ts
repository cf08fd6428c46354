import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "./contender.ts";
import { cpuSeconds, median } from "./machine.ts";
import type { AskedRequest } from "./requests.ts";

/** A list of requests that are sent in turn; each run of a contender goes on where its last one stopped. */
export interface Workload {
  readonly script: string;
  readonly sentTo: Map<string, number>;
}

/** What one run of load showed. Times in microseconds; NaN is what could not be measured. */
export interface Figures {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of the audit lines that were seen: from a request's arrival to its line, median. */
  readonly insideUs: number;
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
  return { script, sentTo: new Map() };
}

export async function drive(contender: Contender, workload: Workload, how: Drive): Promise<Figures> {
  const { pid, name, lines } = contender;
  const before = cpuSeconds(pid);
  const linesBefore = lines.length;
  const text = await runWrk(contender, workload, how);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  if (requests === 0) throw new Error(`${name} answered no request, or wrk failed: ${text.trim()}`);
  workload.sentTo.set(name, (workload.sentTo.get(name) ?? 0) + requests);
  const errors = [...text.matchAll(/(?:connect|read|write|timeout) (\d+)/g)].map(([, count]) => Number(count));
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    cpuUs: ((cpuSeconds(pid) - before) / requests) * 1e6,
    insideUs: median(lines.slice(linesBefore).map(insideUs)),
    p50Us: microseconds(/^\s+50%\s+(\S+)/m.exec(text)?.[1]),
    p99Us: microseconds(/^\s+99%\s+(\S+)/m.exec(text)?.[1]),
    failed: errors.reduce((sum, count) => sum + count, Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)),
  };
}

/** NaN for a line of anything else. */
function insideUs(line: string): number {
  return Number(/"durationMs":([\d.]+)/.exec(line)?.[1]) * 1000;
}

function runWrk(contender: Contender, workload: Workload, { connections, seconds }: Drive): Promise<string> {
  const { port, name } = contender;
  const sent = workload.sentTo.get(name) ?? 0;
  const { script } = workload;
  const command = [
    "wrk",
    "-t1",
    `-c${connections}`,
    `-d${Math.ceil(seconds)}s`,
    "--timeout=10s",
    "--latency",
    "-s",
    script,
  ];
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
