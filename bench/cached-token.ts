/**
 * What a cached token costs, beside a bare Bun.serve with the same bytes and lines, in one run on one machine: compare the ratios, not the
 * figures. Needs `wrk` and dist/chinmina-bridge.
 *
 *   bun bench/cached-token.ts [SECONDS] [CONNECTIONS]
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge } from "../tests/support/bridge.ts";

const SECONDS = Number(process.argv[2] ?? 5);
const CONNECTIONS = Number(process.argv[3] ?? 32);
const CLOCK_TICKS_PER_SECOND = 100;
/** More than are remembered, in turn: none is ever met again while it is remembered. */
const NEVER_REPEATED = 20_000;

if (Bun.which("wrk") === null) throw new Error("wrk is needed: apt-get install wrk, or brew install wrk");
process.env["BRIDGE_UNDER_TEST"] = "binary";
const folder = await mkdtemp(join(tmpdir(), "bench-"));
await using simulator = await startSimulator();
const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
await using bridge = await startBridge(environment, { keepLines: 20 });
const idleMiB = memory(bridge.process.pid, "VmRSS");
const reply = await (await ask(simulator.oidc.issueToken())).text();
const line = `${JSON.stringify(bridge.audit[0])}\n`;
const floor = Bun.spawn([process.execPath, join(import.meta.dir, "floor.ts")], {
  env: { FLOOR_REPLY: reply, FLOOR_LINE: line },
  stdout: "pipe",
  stderr: "pipe",
});
void discard(floor.stdout);
const floorPort = Number(new TextDecoder().decode((await floor.stderr.getReader().read()).value));

const rows: Row[] = [];
for (const [name, count] of [
  ["one JWT", 1],
  ["2,000 JWTs", 2000],
  ["all new", NEVER_REPEATED],
] as const) {
  const script = await writeScript(
    Array.from({ length: count }, (_item, jti) => simulator.oidc.issueToken({ jti: String(jti) })),
  );
  rows.push({ name: `floor, ${name}`, ...(await load(floorPort, floor.pid, script)) });
  rows.push({ name: `bridge, ${name}`, ...(await load(bridge.port, bridge.process.pid, script)) });
}
print(rows);
console.log(
  `RSS: idle ${idleMiB.toFixed(0)} MiB, after ${memory(bridge.process.pid, "VmRSS").toFixed(0)}, peak ${memory(bridge.process.pid, "VmHWM").toFixed(0)}`,
);
floor.kill();
await rm(folder, { recursive: true });

interface Figures {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly p50: string;
  readonly p99: string;
  readonly failures: string;
}
type Row = Figures & { readonly name: string };

function ask(jwt: string): Promise<Response> {
  return fetch(`${bridge.url}/token`, { method: "POST", headers: { authorization: `Bearer ${jwt}` } });
}

async function writeScript(tokens: readonly string[]): Promise<string> {
  const list = join(folder, `tokens-${tokens.length}`);
  const script = `${list}.lua`;
  await writeFile(list, tokens.join("\n"));
  await writeFile(
    script,
    `local requests, n, thread = {}, 0, 0
function setup(t) t:set("start", thread * 7919); thread = thread + 1 end
function init()
  for token in io.lines("${list}") do
    requests[#requests + 1] = wrk.format("POST", "/token", { ["Authorization"] = "Bearer " .. token, ["Host"] = "bridge", ["Content-Length"] = "0" })
  end
  n = start
end
function request() n = n + 1; return requests[n % #requests + 1] end
`,
  );
  return script;
}

async function load(port: number, pid: number, script: string): Promise<Figures> {
  const before = cpuSeconds(pid);
  const wrk = Bun.spawn(
    ["wrk", "-t1", `-c${CONNECTIONS}`, `-d${SECONDS}s`, "--latency", "-s", script, `http://127.0.0.1:${port}`],
    { stdout: "pipe" },
  );
  const text = await new Response(wrk.stdout).text();
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    cpuMicroseconds: ((cpuSeconds(pid) - before) / requests) * 1e6,
    p50: /50%\s+(\S+)/.exec(text)?.[1] ?? "",
    p99: /99%\s+(\S+)/.exec(text)?.[1] ?? "",
    failures: /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? "0",
  };
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function memory(pid: number, field: "VmRSS" | "VmHWM"): number {
  return (
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024
  );
}

async function discard(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _chunk of stream);
}

function print(table: readonly Row[]): void {
  console.log(`${CONNECTIONS} connections, ${SECONDS} s each\n`);
  for (const { name, perSecond, cpuMicroseconds, p50, p99, failures } of table) {
    const other = table.find((row) => row.name === name.replace("bridge", "floor"));
    const ratio =
      other === undefined || other.name === name
        ? ""
        : `  ${(cpuMicroseconds / other.cpuMicroseconds).toFixed(2)} x the floor's CPU`;
    console.log(
      `${name.padEnd(20)} ${perSecond.toFixed(0).padStart(7)}/s  ${cpuMicroseconds.toFixed(1).padStart(6)} us CPU  p50 ${p50.padStart(8)}  p99 ${p99.padStart(8)}  failed ${failures}${ratio}`,
    );
  }
}
