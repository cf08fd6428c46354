/**
 * Lets standard output get stuck for a while under load: counts tokens that left meanwhile, tokens without an audit line in the end, the slowest
 * health check, and how much memory it took.
 *
 *   bun scripts/audit-stuck.ts [SECONDS] [CLIENTS]
 */
import { readFileSync } from "node:fs";
import { startSimulator } from "../src/simulator/simulator.ts";
import { bridgeCommand } from "../tests/support/bridge.ts";

const SECONDS = Number(process.argv[2] ?? 60);
const CLIENTS = Number(process.argv[3] ?? 64);
const PORT = 20_000 + Math.floor(Math.random() * 20_000);

process.env["BRIDGE_UNDER_TEST"] = "binary";
await using simulator = await startSimulator();
const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
// A pipe that is full after 64 KiB, because nobody reads it until the time is over. (What this process reads, it reads at once.)
const command = `${bridgeCommand().join(" ")} serve | { sleep ${SECONDS + 22}; cat; }`;
const child = Bun.spawn(["sh", "-c", command], {
  env: { ...environment, PATH: process.env["PATH"] ?? "", SERVER_PORT: String(PORT), SERVER_HOST: "127.0.0.1" },
  stdout: "pipe",
  stderr: "inherit",
});
const url = `http://127.0.0.1:${PORT}`;
const output = new Response(child.stdout).text();
while ((await fetch(`${url}/healthcheck`).catch(() => undefined))?.status !== 200) await Bun.sleep(20);
const pid = Number(
  Bun.spawnSync(["pgrep", "-P", String(child.pid), "-f", "serve"])
    .stdout.toString()
    .split("\n")[0],
);
const jwt = simulator.oidc.issueToken();
const rssBefore = rssMiB();
const vended: string[] = [];
let refused = 0;
let peakMiB = 0;
let slowestHealthMs = 0;
const untilMs = performance.now() + SECONDS * 1000;

const clients = Array.from({ length: CLIENTS }, async (_item, client) => {
  for (let count = 0; performance.now() < untilMs; count++) {
    const id = `${client}-${count}`;
    const response = await fetch(`${url}/token`, {
      method: "POST",
      headers: { authorization: `Bearer ${jwt}`, "x-request-id": id },
    });
    const text = await response.text();
    if (text.includes("ghs_")) vended.push(id);
    else refused += 1;
  }
});
while (performance.now() < untilMs) {
  const startedMs = performance.now();
  const { status } = await fetch(`${url}/healthcheck`);
  if (status !== 200) throw new Error(`the health check answered ${status}`);
  slowestHealthMs = Math.max(slowestHealthMs, performance.now() - startedMs);
  peakMiB = Math.max(peakMiB, rssMiB());
  await Bun.sleep(100);
}
await Promise.all(clients);
await Bun.sleep(5000);
process.kill(pid, "SIGTERM");
await child.exited;
const lines = new Set([...(await output).matchAll(/"id":"(\d+-\d+)"/g)].map(([, id]) => id));
const without = vended.filter((id) => !lines.has(id)).length;
console.log(
  `stuck for ${SECONDS} s, ${CLIENTS} clients: ${vended.length} tokens (what the pipe still took), ${without} without a line, ${refused} refused, ` +
    `slowest health check ${slowestHealthMs.toFixed(0)} ms, RSS ${rssBefore.toFixed(0)} to ${peakMiB.toFixed(0)} MiB`,
);
process.exit(without === 0 ? 0 : 1);

function rssMiB(): number {
  const kB = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kB) / 1024;
}
